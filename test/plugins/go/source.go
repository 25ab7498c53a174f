package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/conduitio/conduit-commons/config"
	"github.com/conduitio/conduit-commons/opencdc"
	sdk "github.com/conduitio/conduit-connector-sdk"
)

type sourceConfig struct {
	sdk.DefaultSourceMiddleware

	// How many records; then it waits.
	Count int `json:"count" default:"10" validate:"gt=-1"`
	// Behind how many records it misbehaves.
	At int `json:"at" default:"5"`
	// What it does then.
	Mode string `json:"mode" default:"normal" validate:"inclusion=normal|exit|panic|hang|fail|hang-open|exit-open|fail-open|fail-teardown"`
	// File to which every call is appended.
	Journal string `json:"journal"`
	// Kind of payload.
	Payload string `json:"payload" default:"raw" validate:"inclusion=raw|structured"`
}

type source struct {
	sdk.UnimplementedSource
	config sourceConfig
	next   uint64
}

func (s *source) Config() sdk.SourceConfig { return &s.config }

func (s *source) Open(_ context.Context, position opencdc.Position) error {
	// The SDK (0.14.2) watches the call's context beside this method to cancel what batches are collected with. Where that watch
	// begins only after the method has returned, it may cancel although all went well, and no record ever comes.
	time.Sleep(5 * time.Millisecond)
	note(s.config.Journal, "source open %x", []byte(position))
	if len(position) > 0 {
		if len(position) != 8 {
			return fmt.Errorf("a position of %d bytes is not mine", len(position))
		}
		s.next = binary.BigEndian.Uint64(position) + 1
	}
	switch s.config.Mode {
	case "hang-open":
		time.Sleep(time.Hour)
	case "exit-open":
		fmt.Fprintln(os.Stderr, "leaving while I am opened")
		os.Exit(4)
	case "fail-open":
		return errors.New("it does not open today")
	}
	return nil
}

func (s *source) Read(ctx context.Context) (opencdc.Record, error) {
	if s.next >= uint64(s.config.At) {
		switch s.config.Mode {
		case "exit":
			fmt.Fprintln(os.Stderr, "I have seen enough")
			os.Exit(7)
		case "panic":
			panic("the source panics")
		case "fail":
			return opencdc.Record{}, errors.New("the table is gone")
		case "hang":
			time.Sleep(time.Hour)
		}
	}
	if s.next >= uint64(s.config.Count) {
		<-ctx.Done()
		return opencdc.Record{}, ctx.Err()
	}
	n := s.next
	s.next++
	position := binary.BigEndian.AppendUint64(nil, n)
	metadata := opencdc.Metadata{"number": fmt.Sprint(n)}
	metadata.SetCollection("numbers")
	key := opencdc.StructuredData{"n": int64(n)}
	if s.config.Payload == "raw" {
		return sdk.Util.Source.NewRecordCreate(position, metadata, opencdc.RawData(fmt.Sprint("k", n)), opencdc.RawData(fmt.Sprint("v", n))), nil
	}
	before := opencdc.StructuredData{"big": int64(n) - 1<<62, "text": "żółć", "bytes": []byte{0, byte(n)}, "half": 0.5}
	after := opencdc.StructuredData{"big": int64(n) + 1<<62, "text": "日本", "bytes": []byte{255, byte(n)}, "half": 1.5}
	return sdk.Util.Source.NewRecordUpdate(position, metadata, key, before, after), nil
}

func (s *source) Ack(_ context.Context, position opencdc.Position) error {
	note(s.config.Journal, "source ack %d", binary.BigEndian.Uint64(position))
	return nil
}

func (s *source) Teardown(context.Context) error {
	note(s.config.Journal, "source teardown")
	if s.config.Mode == "fail-teardown" {
		return errors.New("it does not let go")
	}
	return nil
}

func (s *source) LifecycleOnCreated(_ context.Context, c config.Config) error {
	note(c["journal"], "source created %s", c["count"])
	return nil
}

func (s *source) LifecycleOnUpdated(_ context.Context, before, after config.Config) error {
	note(after["journal"], "source updated %s %s", before["count"], after["count"])
	return nil
}

func (s *source) LifecycleOnDeleted(_ context.Context, c config.Config) error {
	note(c["journal"], "source deleted %s", c["count"])
	return nil
}

func note(path, format string, values ...any) {
	if path == "" {
		return
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	fmt.Fprintf(file, format+"\n", values...)
}
