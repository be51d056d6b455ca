import java.net.InetSocketAddress;
import java.util.Arrays;
import org.apache.beam.fn.harness.ExternalWorkerService;
import org.apache.beam.runners.fnexecution.artifact.ArtifactRetrievalService;
import org.apache.beam.sdk.expansion.service.ExpansionService;
import org.apache.beam.sdk.expansion.service.ExpansionServiceOptions;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.vendor.grpc.v1p69p0.io.grpc.netty.NettyServerBuilder;

/**
 * Serves what Beam's own {@code ExpansionService.main} serves with {@code --alsoStartLoopbackWorker}, the expansion
 * service, its artifacts and the worker, but on 127.0.0.1 alone: Beam's listens on every interface, and whoever
 * reaches it can read files and run code. Not on "localhost", which the machine's configuration may turn into
 * another address than the one that the job is told. docs/adr/008 says more.
 *
 * <p>Run from this source file, without being compiled first: {@code java -cp JARS LoopbackConnector.java PORT
 * --option=value}; the options are Beam's. A port that is taken ends it with an error.
 */
final class LoopbackConnector {
  private static final String HOST = "127.0.0.1";

  public static void main(String[] arguments) throws Exception {
    int port = Integer.parseInt(arguments[0]);
    PipelineOptionsFactory.register(ExpansionServiceOptions.class);
    PipelineOptions options = PipelineOptionsFactory.fromArgs(Arrays.copyOfRange(arguments, 1, arguments.length)).create();
    NettyServerBuilder.forAddress(new InetSocketAddress(HOST, port))
        .addService(new ExpansionService(options, HOST + ":" + port))
        .addService(new ArtifactRetrievalService())
        .addService(new ExternalWorkerService(options))
        .build()
        .start()
        .awaitTermination();
  }

  private LoopbackConnector() {}
}
