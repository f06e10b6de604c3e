package main

import (
	"errors"
	"testing"

	"bareed/internal/config"
)

func TestWhereHealthIsAsked(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		environ []string
		args    []string
		want    string
	}{
		{"the API's own address", nil, nil, "http://127.0.0.1:8080/readyz"},
		{"port 0 is nowhere", []string{"BAREED_METRICS_LISTEN=127.0.0.1:0"}, nil, "http://127.0.0.1:8080/readyz"},
		{"the private address", []string{"BAREED_METRICS_LISTEN=127.0.0.1:9100"}, nil, "http://127.0.0.1:9100/readyz"},
		{"every address", []string{"BAREED_METRICS_LISTEN=0.0.0.0:9100"}, nil, "http://127.0.0.1:9100/readyz"},
		{"no host", []string{"BAREED_METRICS_LISTEN=:9100"}, nil, "http://127.0.0.1:9100/readyz"},
		{"IPv6", []string{"BAREED_METRICS_LISTEN=[::]:9100"}, nil, "http://[::1]:9100/readyz"},
		{"the sandbox", []string{"BAREED_METRICS_LISTEN=:9100"}, []string{"sandbox"}, "http://127.0.0.1:8090/sandbox/clock"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			settings, err := config.Load(c.environ)
			if err != nil {
				t.Fatal(err)
			}
			got, err := healthURL(settings, c.args)
			if err != nil || got != c.want {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
	if _, err := healthURL(&config.Config{}, []string{"api"}); !errors.Is(err, errUsage) {
		t.Errorf("an argument that is none: %v", err)
	}
}
