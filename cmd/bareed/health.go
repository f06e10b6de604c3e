package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"bareed/internal/config"
)

// runHealth asks the process that runs under the same settings whether it is
// ready, so that a container or a unit can ask without a shell or curl. Exit
// status 0 is yes. With the argument sandbox it asks that process.
func runHealth(ctx context.Context, args []string) error {
	c, err := config.Load(os.Environ())
	if err != nil {
		return err
	}
	url, err := healthURL(c, args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", url, err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask whether it is ready: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10)) // what came is enough
		return fmt.Errorf("not ready: %s", strings.TrimSpace(string(said)))
	}
	return nil
}

// healthURL is where a process tells: at its private address if it has one,
// else at the API's own.
func healthURL(c *config.Config, args []string) (string, error) {
	address, path := c.MetricsListen, "/readyz"
	switch {
	case len(args) == 1 && args[0] == "sandbox":
		address, path = c.SandboxListen, "/sandbox/clock"
	case len(args) > 0:
		return "", fmt.Errorf("%w: bareed health [sandbox]", errUsage)
	case address == "":
		address = c.Listen
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("read the address to ask: %w", err)
	}
	switch host {
	case "", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	return "http://" + net.JoinHostPort(host, port) + path, nil
}
