// A connector plugin for tests, on the official Go SDK: a source that counts, a destination that writes lines of JSON. Each can be
// told to end, to hang, to panic or to refuse at a given record.
package main

import (
	_ "embed"

	sdk "github.com/conduitio/conduit-connector-sdk"
)

//go:embed connector.yaml
var specification string

var connector = sdk.Connector{
	NewSpecification: sdk.YAMLSpecification(specification, "v0.3.1"),
	NewSource:        func() sdk.Source { return sdk.SourceWithMiddleware(&source{}) },
	NewDestination:   func() sdk.Destination { return sdk.DestinationWithMiddleware(&destination{}) },
}

func main() { sdk.Serve(connector) }
