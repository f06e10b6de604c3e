//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"bareed/internal/devenv"
	"bareed/internal/devenv/software"
)

// test starts PostgreSQL once for all packages and runs go test. Its last lines
// are go test's own.
func test(ctx, hard context.Context, args []string) error {
	args, install := mayInstall(args)
	env, err := devenv.Up(ctx, devenv.Options{Mode: devenv.Test, Out: os.Stdout, Install: install, NoRedis: true})
	if err != nil {
		return err
	}
	defer env.Close()
	vars := append(os.Environ(), "TEST_DATABASE_URL="+env.DatabaseURL)
	vars, closeRedis, err := testRedis(ctx, vars, install)
	if err != nil {
		return err
	}
	defer closeRedis()
	vars = withoutRest(vars)
	goArgs := testArgs(raceFlags(ctx), args)
	fmt.Printf("%-10s go %s\n", "run", strings.Join(goArgs, " "))
	return runGo(ctx, hard, vars, goArgs)
}

// testRedis makes sure of Redis before a hundred tests miss it. With a binary
// on the machine each test starts its own server; otherwise all share one.
func testRedis(ctx context.Context, vars []string, install bool) ([]string, func(), error) {
	if bin, err := software.RedisBinary(); err == nil {
		fmt.Printf("%-10s private, one %s for each test that needs it\n", "redis", bin)
		return vars, func() {}, nil
	}
	env, err := devenv.UpRedis(ctx, devenv.Options{Mode: devenv.Test, Out: os.Stdout, Install: install})
	if err != nil {
		return nil, nil, err
	}
	if env.PrivateRedis { // installed just now
		env.Close()
		return vars, func() {}, nil
	}
	return append(vars, "TEST_REDIS_URL="+env.RedisURL), env.Close, nil
}

// raceFlags asks for the race detector where it can be had: it needs a C compiler.
func raceFlags(ctx context.Context) []string {
	// Tests wait for servers more than they compute. Vetting is check's, once and whole.
	flags := []string{"-race", "-vet=off", "-shuffle=on", "-parallel=4"}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "go", "env", "CGO_ENABLED").Output()
	if err == nil && strings.TrimSpace(string(out)) == "1" {
		return flags
	}
	fmt.Printf("%-10s %s\n", "race", "no C compiler found, so without the race detector")
	return flags[1:]
}

// withoutRest takes the second away that the race detector rests at the end of
// every program, for what goroutines that are still running have to report: a
// hundred programs of tests would rest for a hundred seconds. GORACE, when set, wins.
func withoutRest(vars []string) []string {
	if os.Getenv("GORACE") != "" {
		return vars
	}
	return append(vars, "GORACE=atexit_sleep_ms=20")
}

// testArgs puts ./... in place unless the arguments name packages.
func testArgs(flags, args []string) []string {
	out := append([]string{"test"}, flags...)
	for _, a := range args {
		if a == "-args" {
			break
		}
		if a == "." || strings.HasPrefix(a, "./") || strings.HasPrefix(a, "bareed/") {
			return append(out, args...)
		}
	}
	return append(append(out, "./..."), args...)
}

// runGo runs the go command until it ends. At the first interrupt it and the
// test programs are asked to end, at the second they are killed.
func runGo(ctx, hard context.Context, vars, args []string) error {
	p, err := devenv.Start(hard, devenv.Child{Name: "go", Path: "go", Args: args, Env: vars, Log: os.Stdout, Raw: true})
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
		return p.Err()
	case <-ctx.Done():
	}
	p.SignalGroup(syscall.SIGINT)
	select {
	case <-p.Done():
	case <-time.After(10 * time.Second):
		p.Kill()
		<-p.Done()
	}
	return fmt.Errorf("interrupted")
}
