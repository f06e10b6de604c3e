//go:build unix

package main

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"bareed/internal/devenv/software"
)

func TestArgumentsForGoTest(t *testing.T) {
	t.Parallel()
	cases := []struct{ in, want string }{
		{"", "test -race ./..."},
		{"-run X", "test -race ./... -run X"},
		{"./messages/... -run X", "test -race ./messages/... -run X"},
		{"-v bareed/messages", "test -race -v bareed/messages"},
		{"-run X -args ./file", "test -race ./... -run X -args ./file"},
	}
	for _, c := range cases {
		got := testArgs([]string{"-race"}, strings.Fields(c.in))
		if want := strings.Fields(c.want); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", c.in, got, want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	five := exec.Command("sh", "-c", "exit 5").Run()
	killed := exec.Command("sh", "-c", "kill -9 $$").Run()
	cases := []struct {
		err  error
		want int
	}{
		{nil, 0}, {five, 5}, {killed, 1},
		{&software.MissingError{Service: "x"}, exitMissing}, {errors.New("x"), 1},
	}
	for _, c := range cases {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: got %d, want %d", c.err, got, c.want)
		}
	}
	if got := run([]string{"no-such"}); got != 2 {
		t.Errorf("an unknown command: %d", got)
	}
	if got := run(nil); got != 0 {
		t.Errorf("no command: %d", got)
	}
}

func TestInstallIsTakenOut(t *testing.T) {
	t.Setenv("ALLOW_INSTALL", "")
	rest, yes := mayInstall([]string{"-v", "--install", "./api"})
	if !yes || !slices.Equal(rest, []string{"-v", "./api"}) {
		t.Errorf("%v %v", rest, yes)
	}
	if _, yes := mayInstall(nil); yes {
		t.Error("nobody asked")
	}
	t.Setenv("ALLOW_INSTALL", "1")
	if _, yes := mayInstall(nil); !yes {
		t.Error("ALLOW_INSTALL=1 is not heard")
	}
}
