//go:build unix

package devenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// server is a private server that processes share. Each user holds the writing
// end of one named pipe open; a watcher beside the server holds the reading
// end, and when the last user has gone the system gives it an end of file and
// it stops the server. So a server cannot outlive its users even when they are
// killed, and no list of users can be wrong.
type server struct {
	name string              // postgres or redis
	dir  string              // the service's own directory, belonging to the server's user
	run  string              // sockets, the pipe and the watcher's answer
	args []string            // program first
	stop string              // the signal for a clean and quick stop
	cred *syscall.Credential // nil: our own user

	prepare func(context.Context) error // before a start: make the data
	ready   func(context.Context) error // nil once it answers
	orphan  func(context.Context) error // stops what an earlier run left running
}

// use is one process's claim on a running server.
type use struct {
	pipe *os.File
	exit chan struct{} // closed when the server has ended; nil unless we started it
}

// watch answers each user's line with a file, so that a user who comes at the
// very moment the last one leaves knows whether it was seen. The watcher has to
// be nobody's child: PostgreSQL would take notice of a stranger's end.
const watch = `
umask 077
ack=$1 stop=$2
shift 2
( (
	trap "" HUP INT TERM
	while read -r line; do : >"$ack"; done <&3
	kill -s "$stop" $$
) >/dev/null 2>&1 & )
exec "$@" 3<&-`

// attach joins the running server or starts it.
func (s *server) attach(ctx context.Context) (*use, error) {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	unlock, err := lock(ctx, s.dir+".lock")
	if err != nil {
		return nil, err
	}
	defer unlock()
	if pipe := s.join(ctx); pipe != nil {
		quick, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if s.untilReady(quick, nil) == nil {
			return &use{pipe: pipe}, nil
		}
		pipe.Close() // the watcher lives, the server does not
	}
	if err := s.orphan(ctx); err != nil {
		return nil, fmt.Errorf("stop the %s of an earlier run: %w", s.name, err)
	}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	return s.start(ctx)
}

func (s *server) pipePath() string { return filepath.Join(s.run, "users") }
func (s *server) ackPath() string  { return filepath.Join(s.run, "ack") }
func (s *server) logPath() string  { return filepath.Join(s.dir, "log") }

// join becomes a user of a server that is running; nil when there is none.
func (s *server) join(ctx context.Context) *os.File {
	pipe, err := openPipe(s.pipePath())
	if err != nil {
		return nil
	}
	os.Remove(s.ackPath())
	if _, err := io.WriteString(pipe, "here\n"); err != nil {
		pipe.Close()
		return nil
	}
	for {
		if _, err := os.Stat(s.ackPath()); err == nil {
			return pipe
		}
		// Opening again tells whether the watcher still reads: it may have
		// seen the end just before we came.
		again, err := openPipe(s.pipePath())
		if err != nil || pause(ctx, time.Millisecond) != nil {
			pipe.Close()
			return nil
		}
		again.Close()
	}
}

// openPipe fails when nobody reads the pipe.
func openPipe(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Type() != os.ModeNamedPipe {
		return nil, errors.New("not a pipe")
	}
	return os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
}

// start runs the server under its watcher and waits until it answers.
func (s *server) start(ctx context.Context) (*use, error) {
	reader, pipe, err := s.makePipe()
	if err != nil {
		return nil, fmt.Errorf("make the pipe of %s: %w", s.name, err)
	}
	defer reader.Close()
	log, err := os.Create(s.logPath())
	if err != nil {
		pipe.Close()
		return nil, fmt.Errorf("make the log of %s: %w", s.name, err)
	}
	defer log.Close()
	cmd := exec.Command("/bin/sh", append([]string{"-c", watch, "sh", s.ackPath(), s.stop}, s.args...)...)
	cmd.Dir = s.dir // the working directory may be closed to the server's user
	cmd.Env = cleanEnv()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{reader}
	// A session of its own: Ctrl-C reaches us before the servers.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: s.cred}
	if err := cmd.Start(); err != nil {
		pipe.Close()
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	u := &use{pipe: pipe, exit: make(chan struct{})}
	go func() {
		defer close(u.exit)
		_ = cmd.Wait() // the end of a server that was told to stop says nothing
	}()
	if err := s.untilReady(ctx, u.exit); err != nil {
		u.release()
		return nil, fmt.Errorf("%s did not start: %w\n%s", s.name, err, s.lastWords())
	}
	return u, nil
}

// makePipe returns both ends of a fresh named pipe. The reader is opened here
// and inherited by the watcher, so there is no moment in which our end could go
// unnoticed.
func (s *server) makePipe() (reader, writer *os.File, err error) {
	os.Remove(s.pipePath())
	if err := syscall.Mkfifo(s.pipePath(), 0o600); err != nil {
		return nil, nil, err
	}
	fd, err := syscall.Open(s.pipePath(), syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	if err := syscall.SetNonblock(fd, false); err != nil {
		return nil, nil, err
	}
	reader = os.NewFile(uintptr(fd), s.pipePath())
	writer, err = openPipe(s.pipePath())
	if err != nil {
		reader.Close()
		return nil, nil, err
	}
	return reader, writer, nil
}

// untilReady asks until the server answers, ends, or ctx ends.
func (s *server) untilReady(ctx context.Context, exit <-chan struct{}) error {
	for {
		err := s.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-exit:
			return errors.New("it ended at once")
		default:
		}
		if pause(ctx, 3*time.Millisecond) != nil {
			return fmt.Errorf("it does not answer: %w", err)
		}
	}
}

// lastWords is the end of the server's log, for an error message.
func (s *server) lastWords() string {
	b, err := os.ReadFile(s.logPath())
	if err != nil {
		return ""
	}
	lines := strings.Split(string(bytes.TrimSpace(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}

// release gives the server up. The process that started it waits for its end,
// but not for other users.
func (u *use) release() {
	u.pipe.Close()
	if u.exit == nil {
		return
	}
	select {
	case <-u.exit:
	case <-time.After(5 * time.Second):
	}
}

// cleanEnv is the environment without what would steer PostgreSQL's programs.
func cleanEnv() []string {
	env := []string{"LC_ALL=C"}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "PG") && !strings.HasPrefix(kv, "LC_") && !strings.HasPrefix(kv, "LANG") {
			env = append(env, kv)
		}
	}
	return env
}
