module millrace.test/processor

go 1.25.0

require (
	github.com/conduitio/conduit-commons v0.6.0
	github.com/conduitio/conduit-processor-sdk v0.5.1
)

require (
	github.com/goccy/go-json v0.10.6 // indirect
	github.com/hamba/avro/v2 v2.28.0 // indirect
	github.com/json-iterator/go v1.1.12 // indirect
	github.com/mattn/go-colorable v0.1.14 // indirect
	github.com/mattn/go-isatty v0.0.20 // indirect
	github.com/mitchellh/mapstructure v1.5.0 // indirect
	github.com/modern-go/concurrent v0.0.0-20180306012644-bacd9c7ef1dd // indirect
	github.com/modern-go/reflect2 v1.0.2 // indirect
	github.com/rs/zerolog v1.35.1 // indirect
	github.com/twmb/go-cache v1.3.0 // indirect
	golang.org/x/sys v0.33.0 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
)
