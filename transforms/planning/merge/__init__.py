"""From the stored graph and new mutations to what must change, whatever the order of arrival."""
