import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandles;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import org.apache.beam.model.pipeline.v1.RunnerApi;
import org.apache.beam.runners.flink.FlinkJobInvoker;
import org.apache.beam.runners.flink.FlinkJobServerDriver;
import org.apache.beam.runners.flink.FlinkJobServerDriver.FlinkServerConfiguration;
import org.apache.beam.runners.flink.FlinkPipelineOptions;
import org.apache.beam.runners.flink.FlinkPipelineRunner;
import org.apache.beam.runners.fnexecution.artifact.ArtifactRetrievalService;
import org.apache.beam.runners.jobsubmission.JobInvocation;
import org.apache.beam.runners.jobsubmission.PortablePipelineRunner;
import org.apache.beam.sdk.expansion.service.ExpansionService;
import org.apache.beam.sdk.expansion.service.ExpansionServiceOptions;
import org.apache.beam.sdk.fn.server.FnService;
import org.apache.beam.sdk.io.FileSystems;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.vendor.grpc.v1p69p0.io.grpc.netty.NettyServerBuilder;
import org.apache.beam.vendor.guava.v32_1_2_jre.com.google.common.util.concurrent.ListeningExecutorService;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.runtime.taskexecutor.TaskManagerRunner;
import org.apache.flink.shaded.asm9.org.objectweb.asm.ClassReader;
import org.apache.flink.shaded.asm9.org.objectweb.asm.ClassVisitor;
import org.apache.flink.shaded.asm9.org.objectweb.asm.ClassWriter;
import org.apache.flink.shaded.asm9.org.objectweb.asm.MethodVisitor;
import org.apache.flink.shaded.asm9.org.objectweb.asm.Opcodes;

/**
 * Starts the processes of a Flink cluster that run Beam's code, with every port on loopback. Run from this source file,
 * without being compiled first:
 *
 * <pre>
 * java -cp JARS LoopbackFlink.java taskmanager --configDir DIR
 * java -cp JARS LoopbackFlink.java services EXPANSION_PORT --job-server-option=value ... -- --expansion-option=value ...
 * java -cp JARS LoopbackFlink.java small CONF_DIR EXPANSION_PORT --job-server-option=value ... -- --expansion-option=value ...
 * </pre>
 *
 * {@code taskmanager} is Flink's. {@code services} is what a client needs to bring a job onto Flink: job service, its
 * artifacts, and the expansion service of the Kafka connector. {@code small} is these and Flink itself in one process.
 *
 * <p>Why not Beam's own {@code FlinkJobServerDriver}: its expansion service overwrites the experiments that it is given,
 * and without {@code use_deprecated_read} an idle topic holds every window back; it loads classes of Google Cloud
 * before it does anything; and its servers listen on every interface, whatever host it is told.
 */
final class LoopbackFlink {
  private static final String HOST = "127.0.0.1";

  public static void main(String[] arguments) throws Exception {
    listenWhereTold();
    String[] rest = Arrays.copyOfRange(arguments, 1, arguments.length);
    switch (arguments[0]) {
      case "taskmanager" -> TaskManagerRunner.main(rest);
      case "services" -> serve(rest);
      case "small" -> {
        startFlink(GlobalConfiguration.loadConfiguration(rest[0]));
        serve(Arrays.copyOfRange(rest, 1, rest.length));
      }
      default -> throw new IllegalArgumentException("taskmanager, services or small is expected, not " + arguments[0]);
    }
  }

  private static void serve(String[] arguments) throws Exception {
    FileSystems.setDefaultPipelineOptions(PipelineOptionsFactory.create());
    int split = Arrays.asList(arguments).indexOf("--");
    startExpansion(Integer.parseInt(arguments[0]), Arrays.copyOfRange(arguments, split + 1, arguments.length));
    // Returns only where it could not start, which it logs and keeps to itself.
    FlinkServerConfiguration jobs = FlinkJobServerDriver.parseArgs(Arrays.copyOfRange(arguments, 1, split));
    FlinkJobServerDriver.fromConfig(jobs, () -> new BareInvoker(jobs)).run();
    System.exit(1);
  }

  private static void startExpansion(int port, String[] arguments) throws IOException {
    PipelineOptionsFactory.register(ExpansionServiceOptions.class);
    PipelineOptions options = PipelineOptionsFactory.fromArgs(arguments).create();
    NettyServerBuilder.forAddress(new InetSocketAddress(HOST, port))
        .addService(new ExpansionService(options, HOST + ":" + port))
        .addService(new ArtifactRetrievalService())
        .build()
        .start();
  }

  private static void startFlink(Configuration configuration) throws Exception {
    MiniClusterConfiguration cluster =
        new MiniClusterConfiguration.Builder()
            .setConfiguration(configuration)
            .setNumTaskManagers(1)
            .setNumSlotsPerTaskManager(configuration.get(TaskManagerOptions.NUM_TASK_SLOTS))
            .setCommonBindAddress(HOST)
            .build();
    new MiniCluster(cluster).start();
  }

  /**
   * Brings jobs to Flink without jars, which its processes have on their class paths.
   *
   * <p>Beam's uploads the whole class path with each job, 180 MB, whatever {@code --files_to_stage} says; and the classes
   * in it would win over those that are loaded already, with what was changed in them.
   */
  private static final class BareInvoker extends FlinkJobInvoker {
    private BareInvoker(FlinkServerConfiguration jobs) {
      super(jobs);
    }

    @Override
    protected JobInvocation createJobInvocation(
        String id,
        String token,
        ListeningExecutorService executor,
        RunnerApi.Pipeline pipeline,
        FlinkPipelineOptions options,
        PortablePipelineRunner runner) {
      return super.createJobInvocation(
          id, token, executor, pipeline, options, new FlinkPipelineRunner(options, null, List.of()));
    }
  }

  /**
   * Makes Beam's servers listen on the address that they are told.
   *
   * <p>Beam's factory works out an address (loopback, unless told another), and then asks gRPC for a server on its port
   * alone, which is one on every interface: through those of a TaskManager others could take a worker's place. Here the
   * one call, {@code forPort(address.getPort())}, becomes {@code forAddress(address)}, before the class is loaded.
   */
  private static void listenWhereTold() throws IOException, IllegalAccessException {
    String factory = "org/apache/beam/sdk/fn/server/ServerFactory$InetSocketAddressServerFactory";
    try (InputStream original = FnService.class.getClassLoader().getResourceAsStream(factory + ".class")) {
      ClassReader reader = new ClassReader(original);
      ClassWriter writer = new ClassWriter(reader, 0);
      BoundServers bound = new BoundServers(writer);
      reader.accept(bound, 0);
      if (bound.changed != 1) {
        throw new IllegalStateException(
            factory + " was expected to open a server in one place, not in " + bound.changed + "; Beam has changed");
      }
      MethodHandles.privateLookupIn(FnService.class, MethodHandles.lookup()).defineClass(writer.toByteArray());
    }
  }

  private static final class BoundServers extends ClassVisitor {
    private static final String ADDRESS = "java/net/InetSocketAddress";
    private static final String BUILDER = "org/apache/beam/vendor/grpc/v1p69p0/io/grpc/netty/NettyServerBuilder";
    private int changed;

    private BoundServers(ClassVisitor next) {
      super(Opcodes.ASM9, next);
    }

    @Override
    public MethodVisitor visitMethod(int access, String name, String descriptor, String signature, String[] exceptions) {
      MethodVisitor next = super.visitMethod(access, name, descriptor, signature, exceptions);
      if (!name.equals("createServer")) {
        return next;
      }
      return new MethodVisitor(Opcodes.ASM9, next) {
        @Override
        public void visitMethodInsn(int opcode, String owner, String method, String type, boolean isInterface) {
          if (owner.equals(ADDRESS) && method.equals("getPort")) {
            return; // The address stays on the stack in place of its port.
          }
          if (owner.equals(BUILDER) && method.equals("forPort")) {
            changed++;
            super.visitMethodInsn(opcode, owner, "forAddress", "(Ljava/net/SocketAddress;)L" + BUILDER + ";", false);
          } else {
            super.visitMethodInsn(opcode, owner, method, type, isInterface);
          }
        }
      };
    }
  }

  private LoopbackFlink() {}
}
