//go:build unix

package devenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Child is a program to run beside us.
type Child struct {
	Name string // goes before each line of its output
	Path string
	Args []string  // without the program's name
	Env  []string  // KEY=value; nil for our own environment
	Dir  string    // empty for our own
	Log  io.Writer // standard output and error, line by line, each behind its name; safe for several children, like os.Stdout. Nil discards.
	Raw  bool      // write to Log as it comes, without the name

	cred *syscall.Credential // nil: our own user
}

// Process is a running Child with a process group of its own.
type Process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
	err  error // valid once done is closed
}

// tether kills the whole group of the child when our end of pipe 3 closes
// without a word, which is what the system does when we die.
const tether = `
( (trap "" HUP INT TERM; read -r word <&3 || kill -s KILL -- -$$) >/dev/null 2>&1 & )
exec "$@" 3<&-`

// Start runs a child that cannot outlive us, on any system: even kill -9 takes
// it and its own children along. Ctrl-C reaches us only. The end of ctx kills
// the child at once; use Stop for an orderly end.
func Start(ctx context.Context, c Child) (*Process, error) {
	path, err := exec.LookPath(c.Path)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	defer reader.Close()
	cmd := exec.Command("/bin/sh", append([]string{"-c", tether, "sh", path}, c.Args...)...)
	cmd.Env, cmd.Dir = c.Env, c.Dir
	cmd.ExtraFiles = []*os.File{reader}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.cred}
	cmd.WaitDelay = 5 * time.Second // a grandchild may hold the output open
	out := output(c)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		writer.Close()
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	p := &Process{name: c.Name, cmd: cmd, done: make(chan struct{})}
	go p.wait(writer, out)
	go func() {
		select {
		case <-ctx.Done():
			p.Kill()
		case <-p.done:
		}
	}()
	return p, nil
}

func output(c Child) io.Writer {
	switch {
	case c.Log == nil:
		return nil
	case c.Raw:
		return c.Log
	default:
		return &lines{to: c.Log, prefix: fmt.Sprintf("%-10s | ", c.Name)}
	}
}

func (p *Process) wait(tether *os.File, out io.Writer) {
	err := p.cmd.Wait()
	if l, ok := out.(*lines); ok {
		l.flush()
	}
	// A word tells the watcher that this end is no accident. The group's other
	// members may live on, the leader is gone.
	_, _ = io.WriteString(tether, "over\n")
	tether.Close()
	p.err = err
	close(p.done)
}

// Done is closed when the child has ended and its output is written.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is how the child ended: nil, or an *exec.ExitError. Valid after Done.
func (p *Process) Err() error { return p.err }

// Pid is the child's process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Signal sends sig to the child alone; one that has ended is no error.
func (p *Process) Signal(sig os.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	return nil
}

// SignalGroup sends sig to the child and its own children.
func (p *Process) SignalGroup(sig syscall.Signal) {
	select {
	case <-p.done:
	default:
		_ = syscall.Kill(-p.Pid(), sig) // gone already is as good
	}
}

// Kill ends the child and its own children at once.
func (p *Process) Kill() { p.SignalGroup(syscall.SIGKILL) }

// Stop asks the child to end with SIGTERM and kills its group when it has not
// within grace. It returns how the child ended.
func (p *Process) Stop(grace time.Duration) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		p.Kill()
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-p.done:
	case <-t.C:
		p.Kill()
		<-p.done
	}
	return p.err
}

// lines writes whole lines behind a prefix, each in one call.
type lines struct {
	mu     sync.Mutex
	to     io.Writer
	prefix string
	rest   []byte
}

// Write keeps an unfinished line until its end comes.
func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, b...)
	for {
		i := indexNewline(l.rest)
		if i < 0 {
			return len(b), nil
		}
		line := append([]byte(l.prefix), l.rest[:i+1]...)
		l.rest = l.rest[i+1:]
		if _, err := l.to.Write(line); err != nil {
			return 0, err
		}
	}
}

// longestLine is where a line without an end is cut.
const longestLine = 64 << 10

func indexNewline(b []byte) int {
	for i, c := range b {
		if c == '\n' {
			return i
		}
	}
	if len(b) > longestLine {
		return len(b) - 1
	}
	return -1
}

func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rest) > 0 {
		_, _ = l.to.Write(append(append([]byte(l.prefix), l.rest...), '\n')) // the last words of a child that is gone
		l.rest = nil
	}
}
