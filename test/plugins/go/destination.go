package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/conduitio/conduit-commons/config"
	"github.com/conduitio/conduit-commons/opencdc"
	sdk "github.com/conduitio/conduit-connector-sdk"
)

type destinationConfig struct {
	sdk.DefaultDestinationMiddleware

	// File to which records are appended as lines.
	Out string `json:"out"`
	// Behind how many records it misbehaves.
	At int `json:"at" default:"5"`
	// What it does then.
	Mode string `json:"mode" default:"normal" validate:"inclusion=normal|exit|hang|refuse"`
	// File to which every call is appended.
	Journal string `json:"journal"`
}

type destination struct {
	sdk.UnimplementedDestination
	config  destinationConfig
	written int
}

func (d *destination) Config() sdk.DestinationConfig { return &d.config }

func (d *destination) Open(context.Context) error {
	note(d.config.Journal, "destination open")
	return nil
}

func (d *destination) Write(_ context.Context, records []opencdc.Record) (int, error) {
	for i, record := range records {
		if d.written >= d.config.At {
			switch d.config.Mode {
			case "exit":
				fmt.Fprintln(os.Stderr, "the disk is full")
				os.Exit(9)
			case "hang":
				time.Sleep(time.Hour)
			case "refuse":
				d.config.Mode = "normal"
				return i, errors.New("this one is not for me")
			}
		}
		note(d.config.Out, "%x %s %s | %s | %s | %s", []byte(record.Position), record.Operation, record.Metadata["number"],
			shown(record.Key), shown(record.Payload.Before), shown(record.Payload.After))
		d.written++
	}
	return len(records), nil
}

func (d *destination) Teardown(context.Context) error {
	note(d.config.Journal, "destination teardown")
	return nil
}

func (d *destination) LifecycleOnCreated(_ context.Context, c config.Config) error {
	note(c["journal"], "destination created %s", c["at"])
	return nil
}

// Every value with its type, fields in the order of their names.
func shown(data opencdc.Data) string {
	switch data := data.(type) {
	case nil:
		return "nothing"
	case opencdc.RawData:
		return fmt.Sprintf("raw %q", string(data))
	case opencdc.StructuredData:
		text := "fields"
		for _, name := range []string{"n", "big", "text", "bytes", "half"} {
			if value, ok := data[name]; ok {
				text += fmt.Sprintf(" %s=%T(%v)", name, value, value)
			}
		}
		return text
	}
	return fmt.Sprintf("%T", data)
}
