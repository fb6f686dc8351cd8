// Receivers of the Go collector that are pushed to, as a program of their own:
//
//	pushed logs loki '{"protocols": {"http": {"endpoint": "127.0.0.1:3100"}}}' http://127.0.0.1:4318
//
// hands on what the receiver of that signal, type and configuration takes, as OTLP. Not all receivers can be had in one
// version: those of `newest.go` are built by go.mod, those of `older.go` with -tags older -modfile older.mod.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
)

// The signals that a receiver makes, each with its path at the backend.
type backend struct {
	url string
}

func (to backend) post(ctx context.Context, path string, body []byte, err error) error {
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", to.url, answer.Status)
	}
	return nil
}

func (to backend) traces(ctx context.Context, data ptrace.Traces) error {
	body, err := ptraceotlp.NewExportRequestFromTraces(data).MarshalProto()
	return to.post(ctx, "/v1/traces", body, err)
}

func (to backend) metrics(ctx context.Context, data pmetric.Metrics) error {
	body, err := pmetricotlp.NewExportRequestFromMetrics(data).MarshalProto()
	return to.post(ctx, "/v1/metrics", body, err)
}

func (to backend) logs(ctx context.Context, data plog.Logs) error {
	body, err := plogotlp.NewExportRequestFromLogs(data).MarshalProto()
	return to.post(ctx, "/v1/logs", body, err)
}

func (to backend) made(ctx context.Context, kind string, factory receiver.Factory, config component.Config) (component.Component, error) {
	settings := receivertest.NewNopSettings(factory.Type())
	settings.Logger = zap.NewExample()
	switch kind {
	case "traces":
		next, err := consumer.NewTraces(to.traces)
		if err != nil {
			return nil, err
		}
		return factory.CreateTraces(ctx, settings, config, next)
	case "metrics":
		next, err := consumer.NewMetrics(to.metrics)
		if err != nil {
			return nil, err
		}
		return factory.CreateMetrics(ctx, settings, config, next)
	case "logs":
		next, err := consumer.NewLogs(to.logs)
		if err != nil {
			return nil, err
		}
		return factory.CreateLogs(ctx, settings, config, next)
	}
	return nil, fmt.Errorf("no such signal: %s", kind)
}

func named(kind string) (receiver.Factory, error) {
	for _, one := range factories {
		if strings.ReplaceAll(one.Type().String(), "_", "") == strings.ReplaceAll(kind, "_", "") {
			return one, nil
		}
	}
	return nil, fmt.Errorf("no such type: %s", kind)
}

func receive(kind, name, text, url string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	factory, err := named(name)
	if err != nil {
		return err
	}
	written := map[string]any{}
	if err := json.Unmarshal([]byte(text), &written); err != nil {
		return err
	}
	config := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(written).Unmarshal(config); err != nil {
		return err
	}
	made, err := (backend{url}).made(ctx, kind, factory, config)
	if err != nil {
		return err
	}
	if err := made.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	<-ctx.Done()
	return made.Shutdown(context.Background())
}

func main() {
	err := errors.New("SIGNAL TYPE CONFIGURATION URL")
	if len(os.Args) == 5 {
		err = receive(os.Args[1], os.Args[2], os.Args[3], os.Args[4])
	}
	if err != nil {
		log.Fatal(err)
	}
}
