//go:build unix

package prove

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// history is a file of JSON lines: what was done to what, and when.
type history struct {
	path string
	kept bool
	mu   sync.Mutex
	file *os.File
}

func newHistory(path string) (*history, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("make the history: %w", err)
	}
	return &history{path: path, file: f}, nil
}

// Note writes a line.
func (h *history) Note(op, process, detail string) {
	b, err := json.Marshal(map[string]string{"op": op, "process": process, "detail": detail, "time": time.Now().UTC().Format(time.RFC3339Nano)})
	if err != nil {
		return // three strings
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	_, _ = h.file.Write(append(b, '\n')) // a history that cannot be written must not end the proof
}

// keep leaves the directory behind and returns the path.
func (h *history) keep() string {
	h.kept = true
	return h.path
}

func (h *history) close() { _ = h.file.Close() }
