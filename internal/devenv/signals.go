//go:build unix

package devenv

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// Signals returns two contexts. The first SIGINT, SIGTERM or SIGHUP ends soft:
// stop in good order. The second ends hard: stop at once. Under go run, which
// keeps SIGTERM to itself, its own end counts as a signal.
func Signals() (soft, hard context.Context, stop func()) {
	soft, endSoft := context.WithCancel(context.Background())
	hard, endHard := context.WithCancel(context.Background())
	got := make(chan os.Signal, 4)
	signal.Notify(got, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	finished := make(chan struct{})
	go func() {
		defer endHard()
		defer endSoft()
		parent := watchGoRun(finished)
		for n := 0; n < 2; n++ {
			select {
			case <-finished:
				return
			case <-got:
			case <-parent:
				parent = nil
			}
			endSoft()
		}
		endHard()
		<-finished
	}()
	return soft, hard, func() {
		signal.Stop(got)
		close(finished)
	}
}

// watchGoRun is closed when the go run that started this program has ended; it
// never is for a program started in another way.
func watchGoRun(finished <-chan struct{}) <-chan struct{} {
	gone := make(chan struct{})
	exe, err := os.Executable()
	if err != nil || !strings.Contains(exe, "/go-build") {
		return gone
	}
	parent := os.Getppid()
	go func() {
		t := time.NewTicker(200 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-finished:
				return
			case <-t.C:
				if os.Getppid() != parent {
					close(gone)
					return
				}
			}
		}
	}()
	return gone
}
