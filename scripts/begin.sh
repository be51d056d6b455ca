# Sourced by the scripts with their own arguments: changes to the checkout and sets up. `--help` installs nothing: it prints the
# comment at the head of the script, or, where the environment is there, goes on to a program that knows its flags.
#
#   . scripts/begin.sh [--own-help | --no-setup] "$@"
#
# --own-help: what the script runs has a --help of its own. --no-setup: the script sets up by itself, or needs no environment.

cd "$(dirname "${BASH_SOURCE[1]}")/.."

has_own_help='' sets_up=1
case "${1:-}" in
  --own-help) has_own_help=1 ;;
  --no-setup) sets_up='' ;;
esac
for argument in "$@"; do
  case "$argument" in
    --) break ;;
    -h | --help)
      if [ -n "$has_own_help" ] && scripts/setup --check; then
        break 1
      fi
      sed -n '2,/^[^#]/s/^# \{0,1\}//p' "scripts/$(basename "${BASH_SOURCE[1]}")"
      if [ -n "$has_own_help" ]; then
        echo "Run scripts/setup first; then --help lists every flag."
      fi
      exit 0
      ;;
  esac
done
if [ -n "$sets_up" ]; then scripts/setup; fi
