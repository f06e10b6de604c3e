//go:build unix

package procs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"bareed/internal/devenv"
)

func TestJudgeOfTheEnd(t *testing.T) {
	t.Parallel()
	cases := []struct {
		ends string
		good bool
	}{
		{"api 0\nscheduler 0\nworker 0\nsandbox 0\n", true},
		{"api 0\nscheduler 0\nworker 1\nsandbox 0\n", false},
		{"api 0\nscheduler 0\nsandbox 0\nworker 0\n", false},
		{"api 0\nscheduler 0\nsandbox 0\n", false},
		{"", false},
	}
	for _, c := range cases {
		if err := judge(c.ends); (err == nil) != c.good {
			t.Errorf("%q: %v", c.ends, err)
		}
	}
}

// The script notes the true exit status, also of a program that takes its time
// after the signal.
func TestNotedExitStatus(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, program string
		signal        bool
		want          string
	}{
		{"ends well", "exit 0", false, "x 0\n"},
		{"ends badly", "exit 7", false, "x 7\n"},
		{"asked to end", `trap 'sleep 0.2; exit 0' TERM; echo up; while :; do sleep 0.01; done`, true, "x 0\n"},
		{"asked to end, fails", `trap 'sleep 0.2; exit 3' TERM; echo up; while :; do sleep 0.01; done`, true, "x 3\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, "noted"), noted)
			write(t, filepath.Join(dir, "program"), "#!/bin/sh\n"+c.program+"\n")
			up := &upSignal{up: make(chan struct{}, 1)}
			p, err := devenv.Start(t.Context(), devenv.Child{Name: "x", Path: filepath.Join(dir, "noted"), Args: []string{"x"}, Raw: true, Log: up,
				Env: []string{"PATH=" + os.Getenv("PATH"), "PROGRAM=" + filepath.Join(dir, "program"), "ENDS=" + filepath.Join(dir, "ends")}})
			if err != nil {
				t.Fatal(err)
			}
			if c.signal {
				<-up.up
				p.SignalGroup(syscall.SIGTERM)
			}
			select {
			case <-p.Done():
			case <-time.After(time.Minute):
				p.Kill()
				t.Fatal("it does not end")
			}
			got, _ := os.ReadFile(filepath.Join(dir, "ends")) // none is a wrong answer too
			if string(got) != c.want {
				t.Errorf("noted %q, want %q", got, c.want)
			}
		})
	}
}

// upSignal waits for the program's first word.
type upSignal struct{ up chan struct{} }

func (u *upSignal) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "up") {
		u.up <- struct{}{}
	}
	return len(b), nil
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("/bin/sh", "-n", file).CombinedOutput(); err != nil {
		t.Fatalf("%s: %s", file, out)
	}
}
