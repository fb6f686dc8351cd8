// Sends a span by each way of Jaeger's and Zipkin's clients: send ZIPKIN_URL JAEGER_URL JAEGER_UDP_PORT
package main

import (
	"log"
	"os"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/openzipkin/zipkin-go"
	"github.com/openzipkin/zipkin-go/model"
	zipkinhttp "github.com/openzipkin/zipkin-go/reporter/http"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/transport"
)

func sendToJaeger(name string, sender jaeger.Transport) {
	tracer, closer := jaeger.NewTracer("shop", jaeger.NewConstSampler(true), jaeger.NewRemoteReporter(sender))
	span := tracer.StartSpan(name, ext.SpanKindRPCServer, opentracing.Tag{Key: "order.id", Value: 7})
	span.LogKV("event", "taken")
	span.Finish()
	closer.Close()
}

func sendToZipkin(name, url string) {
	reporter := zipkinhttp.NewReporter(url)
	endpoint, err := zipkin.NewEndpoint("shop", "127.0.0.1:8080")
	if err != nil {
		log.Fatal(err)
	}
	tracer, err := zipkin.NewTracer(reporter, zipkin.WithLocalEndpoint(endpoint))
	if err != nil {
		log.Fatal(err)
	}
	span := tracer.StartSpan(name, zipkin.Kind(model.Server))
	span.Tag("order.id", "7")
	span.Annotate(time.Now(), "taken")
	span.Finish()
	reporter.Close()
}

func main() {
	sendToZipkin("go-zipkin", os.Args[1])
	sendToJaeger("go-jaeger-http", transport.NewHTTPTransport(os.Args[2]))
	udp, err := jaeger.NewUDPTransport("127.0.0.1:"+os.Args[3], 0)
	if err != nil {
		log.Fatal(err)
	}
	sendToJaeger("go-jaeger-udp", udp)
}
