import brave.Span;
import brave.Tracing;
import io.jaegertracing.internal.JaegerTracer;
import io.jaegertracing.internal.reporters.RemoteReporter;
import io.jaegertracing.internal.samplers.ConstSampler;
import io.jaegertracing.thrift.internal.senders.HttpSender;
import io.jaegertracing.thrift.internal.senders.ThriftSender;
import io.jaegertracing.thrift.internal.senders.UdpSender;
import zipkin2.reporter.brave.AsyncZipkinSpanHandler;
import zipkin2.reporter.urlconnection.URLConnectionSender;

/** Sends a span by each way of Jaeger's and Zipkin's clients: java -cp JARS Send.java ZIPKIN_URL JAEGER_URL JAEGER_UDP_PORT */
public final class Send {
    private static void sendToJaeger(String name, ThriftSender sender) {
        RemoteReporter reporter = new RemoteReporter.Builder().withSender(sender).build();
        try (JaegerTracer tracer = new JaegerTracer.Builder("shop").withReporter(reporter).withSampler(new ConstSampler(true)).build()) {
            tracer.buildSpan(name).withTag("order.id", 7).withTag("span.kind", "server").start().log("taken").finish();
        }
    }

    private static void sendToZipkin(String name, String url) {
        URLConnectionSender sender = URLConnectionSender.create(url);
        AsyncZipkinSpanHandler handler = AsyncZipkinSpanHandler.create(sender);
        try (Tracing tracing = Tracing.newBuilder().localServiceName("shop").addSpanHandler(handler).build()) {
            Span span = tracing.tracer().newTrace().name(name).kind(Span.Kind.SERVER);
            span.tag("order.id", "7").start().annotate("taken");
            span.finish();
        }
        handler.flush();
        handler.close();
        sender.close();
    }

    public static void main(String[] arguments) throws Exception {
        sendToZipkin("java-zipkin", arguments[0]);
        sendToJaeger("java-jaeger-http", new HttpSender.Builder(arguments[1]).build());
        sendToJaeger("java-jaeger-udp", new UdpSender("127.0.0.1", Integer.parseInt(arguments[2]), 0));
    }
}
