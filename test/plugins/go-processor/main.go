//go:build wasm

// A standalone processor for tests, on the official Go SDK. It marks records, and does what the metadata entry "do" of a record says:
// refuse it, drop it, make two of it, register a schema, ask the network, exit, panic, run for ever, take memory.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/conduitio/conduit-commons/config"
	"github.com/conduitio/conduit-commons/opencdc"
	sdk "github.com/conduitio/conduit-processor-sdk"
	"github.com/conduitio/conduit-processor-sdk/schema"
)

func main() { sdk.Run(&processor{}) }

type processor struct {
	sdk.UnimplementedProcessor
	mark   string
	opened bool
	seen   int
	kept   [][]byte
}

func (p *processor) Specification() (sdk.Specification, error) {
	return sdk.Specification{
		Name:        "test.mark",
		Summary:     "Marks records.",
		Description: "Marks records, or does what they ask for.",
		Version:     "v0.2.0",
		Author:      "Millrace",
		Parameters: config.Parameters{
			"mark": {
				Description: "Written into the metadata.",
				Type:        config.ParameterTypeString,
				Validations: []config.Validation{config.ValidationRequired{}},
			},
			"limit": {
				Default:     "10",
				Description: "Unused, a number.",
				Type:        config.ParameterTypeInt,
				Validations: []config.Validation{config.ValidationGreaterThan{V: 0}},
			},
		},
	}, nil
}

func (p *processor) Configure(_ context.Context, settings config.Config) error {
	p.mark = settings["mark"]
	if p.mark == "refused" {
		return errors.New("this mark is taken")
	}
	return nil
}

func (p *processor) Open(ctx context.Context) error {
	sdk.Logger(ctx).Warn().Str("mark", p.mark).Msg("opened")
	if p.mark == "unopenable" {
		return errors.New("it does not open")
	}
	p.opened = true
	return nil
}

func (p *processor) Process(ctx context.Context, records []opencdc.Record) []sdk.ProcessedRecord {
	out := make([]sdk.ProcessedRecord, 0, len(records))
	for _, record := range records {
		out = append(out, p.one(ctx, record))
	}
	return out
}

func (p *processor) one(ctx context.Context, record opencdc.Record) sdk.ProcessedRecord {
	p.seen++
	if record.Metadata == nil {
		record.Metadata = opencdc.Metadata{}
	}
	record.Metadata["mark"] = p.mark
	record.Metadata["seen"] = strconv.Itoa(p.seen)
	record.Metadata["opened"] = strconv.FormatBool(p.opened)
	switch record.Metadata["do"] {
	case "refuse":
		return sdk.ErrorRecord{Error: fmt.Errorf("refused: %s", record.Position)}
	case "drop":
		return sdk.FilterRecord{}
	case "double":
		return sdk.MultiRecord{record, record.Clone()}
	case "schema":
		made, err := schema.Create(ctx, schema.TypeAvro, "marks", []byte(`{"type":"record","name":"m","fields":[{"name":"x","type":"long"}]}`))
		if err != nil {
			return sdk.ErrorRecord{Error: err}
		}
		got, err := schema.Get(ctx, "marks", made.Version)
		if err != nil {
			return sdk.ErrorRecord{Error: err}
		}
		record.Metadata["schema"] = fmt.Sprintf("%s %d %s", got.Subject, got.Version, got.Bytes)
	case "no schema":
		if _, err := schema.Get(ctx, "nobody", 7); err != nil {
			return sdk.ErrorRecord{Error: err}
		}
	case "read":
		if _, err := os.ReadFile("/etc/passwd"); err != nil {
			return sdk.ErrorRecord{Error: err}
		}
	case "exit":
		os.Exit(3)
	case "panic":
		var none map[string]string
		none["x"] = "y"
	case "hang":
		for {
			p.seen++
		}
	case "memory":
		for {
			p.kept = append(p.kept, make([]byte, 16<<20))
		}
	case "print":
		fmt.Println("a line of its own")
	}
	return sdk.SingleRecord(record)
}
