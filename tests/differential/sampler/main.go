// Prints, as C, what the Go collector's probabilistic_sampler keeps of 100,000 generated items per
// configuration: a hash of every 1,000 of them, over the numbers of the kept ones and what they
// say of sampling afterwards. The unit test of the processor generates the same items.
//
//	go run . >../../unit/components/processors/probabilistic_sampler/verdicts.inc
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/fnv"

	sampler "github.com/open-telemetry/opentelemetry-collector-contrib/processor/probabilisticsamplerprocessor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
)

const (
	items = 100000
	block = 1000
)

// splitmix64
func mix(n uint64) uint64 {
	z := (n + 1) * 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func traceID(i uint64) (id pcommon.TraceID) {
	if i%block != block-1 { // the last of a block has none
		binary.BigEndian.PutUint64(id[:8], mix(2*i))
		binary.BigEndian.PutUint64(id[8:], mix(2*i+1))
	}
	return id
}

func traceState(i uint64) string {
	switch i % 16 {
	case 0:
		return "ot=th:8"
	case 1:
		return fmt.Sprintf("a=1,ot=rv:%014x;th:c", mix(i)>>8)
	case 2:
		return "ot=th:40;p:8 ,\tvendor@sys=x y,,b=2"
	case 3:
		return "ot=th:zz"
	case 4:
		return "Upper=1"
	case 5:
		return fmt.Sprintf("k/1=v,ot=rv:%014X", mix(i)>>8)
	default:
		return ""
	}
}

type options struct {
	name    string
	of      string // "traces", "logs"
	percent float32
	seed    uint32
	mode    string
	digits  int
	open    bool
	record  bool
}

func (o *options) config() component.Config {
	config := sampler.NewFactory().CreateDefaultConfig().(*sampler.Config)
	config.SamplingPercentage = o.percent
	config.HashSeed = o.seed
	config.Mode = sampler.SamplerMode(o.mode)
	config.SamplingPrecision = o.digits
	config.FailClosed = !o.open
	if o.record {
		config.AttributeSource = "record"
	}
	config.FromAttribute = "id"
	config.SamplingPriority = "prio"
	return config
}

func spans(o *options, from uint64, digest hash.Hash64) {
	data := ptrace.NewTraces()
	all := data.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i := from; i < from+block; i++ {
		span := all.AppendEmpty()
		span.SetTraceID(traceID(i))
		span.TraceState().FromRaw(traceState(i))
		span.SetStartTimestamp(pcommon.Timestamp(i))
		switch i % 64 {
		case 20:
			span.Attributes().PutInt("sampling.priority", 0)
		case 21:
			span.Attributes().PutDouble("sampling.priority", 0.5)
		case 22:
			span.Attributes().PutStr("sampling.priority", "1e3")
		case 23:
			span.Attributes().PutStr("sampling.priority", "no")
		}
	}
	sink := new(consumertest.TracesSink)
	factory := sampler.NewFactory()
	made, err := factory.CreateTraces(context.Background(), processortest.NewNopSettings(factory.Type()), o.config(), sink)
	check(err)
	check(made.ConsumeTraces(context.Background(), data))
	for _, out := range sink.AllTraces() {
		kept := out.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
		for j := 0; j < kept.Len(); j++ {
			put(digest, uint64(kept.At(j).StartTimestamp()), kept.At(j).TraceState().AsRaw())
		}
	}
}

func logs(o *options, from uint64, digest hash.Hash64) {
	data := plog.NewLogs()
	all := data.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i := from; i < from+block; i++ {
		record := all.AppendEmpty()
		record.SetTimestamp(pcommon.Timestamp(i))
		if i%3 != 0 {
			record.SetTraceID(traceID(i))
		}
		attributes := record.Attributes()
		switch i % 16 {
		case 0:
			attributes.PutStr("sampling.threshold", "8")
		case 1:
			attributes.PutStr("sampling.randomness", fmt.Sprintf("%014x", mix(i)>>8))
			attributes.PutStr("sampling.threshold", "c")
		case 2:
			attributes.PutStr("sampling.randomness", "none")
		}
		switch i % 5 {
		case 0:
			attributes.PutStr("id", fmt.Sprint(i))
		case 1:
			attributes.PutInt("id", int64(i))
		case 2:
			attributes.PutBool("id", true)
		}
		switch i % 64 {
		case 20:
			attributes.PutInt("prio", 0)
		case 21:
			attributes.PutDouble("prio", 30.5)
		case 22:
			attributes.PutInt("prio", 100)
		case 23:
			attributes.PutInt("prio", 101)
		}
	}
	sink := new(consumertest.LogsSink)
	factory := sampler.NewFactory()
	made, err := factory.CreateLogs(context.Background(), processortest.NewNopSettings(factory.Type()), o.config(), sink)
	check(err)
	check(made.ConsumeLogs(context.Background(), data))
	for _, out := range sink.AllLogs() {
		kept := out.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		for j := 0; j < kept.Len(); j++ {
			text := ""
			for _, key := range []string{"sampling.threshold", "sampling.randomness"} {
				if value, ok := kept.At(j).Attributes().Get(key); ok {
					text += value.Str()
				}
				text += ";"
			}
			put(digest, uint64(kept.At(j).Timestamp()), text)
		}
	}
}

func put(digest hash.Hash64, i uint64, text string) {
	var number [4]byte
	binary.LittleEndian.PutUint32(number[:], uint32(i))
	digest.Write(number[:])
	digest.Write([]byte(text))
	digest.Write([]byte{0})
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	all := []options{
		{name: "hash_seed", of: "traces", percent: 50, digits: 4},
		{name: "hash_seed_22", of: "traces", percent: 12.5, seed: 22, mode: "hash_seed", digits: 4},
		{name: "hash_seed_open", of: "traces", percent: 99.99, seed: 1 << 31, mode: "hash_seed", digits: 4, open: true},
		{name: "hash_seed_little", of: "traces", percent: 0.1, mode: "hash_seed", digits: 4},
		{name: "none", of: "traces", percent: 0, digits: 4},
		{name: "all", of: "traces", percent: 200, mode: "equalizing", digits: 4},
		{name: "equalizing", of: "traces", percent: 30, mode: "equalizing", digits: 4},
		{name: "equalizing_fine", of: "traces", percent: 33.3333, mode: "equalizing", digits: 14},
		{name: "equalizing_open", of: "traces", percent: 60, mode: "equalizing", digits: 1, open: true},
		{name: "proportional", of: "traces", percent: 25, mode: "proportional", digits: 4},
		{name: "proportional_fine", of: "traces", percent: 0.7, mode: "proportional", digits: 14},
		{name: "proportional_open", of: "traces", percent: 99.9, mode: "proportional", digits: 3, open: true},
		{name: "logs_hash_seed", of: "logs", percent: 40, seed: 7, digits: 4},
		{name: "logs_record", of: "logs", percent: 40, digits: 4, record: true},
		{name: "logs_record_open", of: "logs", percent: 15, digits: 4, record: true, open: true},
		{name: "logs_equalizing", of: "logs", percent: 40, mode: "equalizing", digits: 4},
		{name: "logs_proportional", of: "logs", percent: 20, mode: "proportional", digits: 5, open: true},
	}
	for k := range all {
		o := &all[k]
		mode := map[string]string{"": "HASH", "hash_seed": "HASH", "equalizing": "EQUALIZING", "proportional": "PROPORTIONAL"}[o.mode]
		signal := map[string]string{"traces": "HF_TRACES", "logs": "HF_LOGS"}[o.of]
		fmt.Printf("{%q, %s, %v, %d, HF_SAMPLER_%s, %d, %t, %t,\n {", o.name, signal, o.percent, o.seed, mode, o.digits, o.open, o.record)
		for from := uint64(0); from < items; from += block {
			digest := fnv.New64a()
			if o.of == "traces" {
				spans(o, from, digest)
			} else {
				logs(o, from, digest)
			}
			if from%(5*block) == 0 {
				fmt.Printf("\n ")
			}
			fmt.Printf(" 0x%016x,", digest.Sum64())
		}
		fmt.Printf("}},\n")
	}
}
