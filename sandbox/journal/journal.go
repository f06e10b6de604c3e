// Package journal is the sandbox's judge: every message request in the order it
// arrived, whether it was accepted, and the count of what was accepted twice.
//
// The sandbox writes it before it decides anything; proofs read it. It knows
// nothing of limits, templates or webhooks.
package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"sync"
	"time"
)

// Fates of an answer, for Entry.Fate; "" means the request was never decided.
const (
	FateAnswered = "answered"
	FateCut      = "cut"      // connection closed without an answer
	FateReset    = "reset"    // connection reset without an answer
	FateCutBody  = "cut_body" // answer broken off in its middle
	FateHTML     = "html"     // a gateway's page instead of an answer
	FateSlow     = "slow"     // answer held back
	FateRedirect = "redirect"
	FateNoID     = "no_id" // 2xx without the message id
)

// Entry is one POST …/messages or …/marketing_messages, exactly once per request
// whatever came of it.
type Entry struct {
	Seq          int64     `json:"seq"`
	At           time.Time `json:"at"` // arrival, by the sandbox's clock
	NumberID     string    `json:"phone_number_id"`
	Recipient    string    `json:"recipient"`
	Type         string    `json:"type,omitempty"`
	Template     string    `json:"template,omitempty"`
	Language     string    `json:"language,omitempty"`
	CallbackData string    `json:"callback_data,omitempty"`
	Endpoint     string    `json:"endpoint,omitempty"` // messages, marketing_messages
	// Of marketing_messages alone, as the request said or Meta's default.
	ProductPolicy   string `json:"product_policy,omitempty"`
	ActivitySharing bool   `json:"activity_sharing,omitempty"`
	Decision
}

// Decision is what became of a request.
type Decision struct {
	Accepted   bool   `json:"accepted"`
	Held       bool   `json:"held,omitempty"`
	WAMID      string `json:"wamid,omitempty"`
	Code       int    `json:"code,omitempty"`
	HTTPStatus int    `json:"http_status,omitempty"`
	Fate       string `json:"fate,omitempty"`
}

// line is what the file holds: an arrival, or the decision of an earlier one.
type line struct {
	Kind string `json:"kind"` // arrival, decision
	Entry
}

// Journal keeps entries in memory and in a file. A line is handed to the
// operating system before the next step, so only the machine's own crash, not
// the process's, can lose one.
type Journal struct {
	mu      sync.Mutex
	file    *os.File
	entries []*Entry
	counts  tally
}

// Open reads and continues the file at path; "" keeps everything in memory.
func Open(path string) (*Journal, error) {
	j := &Journal{counts: newTally()}
	if path == "" {
		return j, nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	j.file = f
	if err := j.load(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

// load reads what an earlier process wrote; a last line cut off by its end is
// cut away.
func (j *Journal) load(f *os.File) error {
	r := bufio.NewReader(f)
	var good int64
	for n := 1; ; n++ {
		raw, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return f.Truncate(good)
		}
		if err != nil {
			return err
		}
		var l line
		if err := json.Unmarshal(raw, &l); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		good += int64(len(raw))
		if l.Kind == "arrival" {
			if l.Seq != int64(len(j.entries))+1 {
				return fmt.Errorf("line %d: sequence %d out of order", n, l.Seq)
			}
			e := l.Entry
			j.entries = append(j.entries, &e)
		} else if l.Seq >= 1 && l.Seq <= int64(len(j.entries)) {
			j.settle(j.entries[l.Seq-1], l.Decision)
		}
	}
}

func (j *Journal) write(l line) error {
	if j.file == nil {
		return nil
	}
	raw, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = j.file.Write(append(raw, '\n'))
	return err
}

// Arrive records a request before anything is decided about it.
func (j *Journal) Arrive(e Entry) (*Entry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e.Seq = int64(len(j.entries)) + 1
	if err := j.write(line{Kind: "arrival", Entry: e}); err != nil {
		return nil, err
	}
	j.entries = append(j.entries, &e)
	return &e, nil
}

// Decide records what became of a request, before its answer and its webhooks.
func (j *Journal) Decide(e *Entry, d Decision) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	l := line{Kind: "decision"}
	l.Seq, l.At, l.Decision = e.Seq, e.At, d
	if err := j.write(l); err != nil {
		return err
	}
	j.settle(e, d)
	return nil
}

func (j *Journal) settle(e *Entry, d Decision) {
	e.Decision = d
	j.counts.add(e)
}

// Reset forgets everything, the file too.
func (j *Journal) Reset() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries, j.counts = nil, newTally()
	if j.file == nil {
		return nil
	}
	return j.file.Truncate(0)
}

// Close closes the file; nothing can be recorded afterwards.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// Entries gives up to limit entries with a sequence above after, oldest first.
func (j *Journal) Entries(after int64, limit int) []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	list := []Entry{}
	for i := max(after, 0); i < int64(len(j.entries)) && len(list) < limit; i++ {
		list = append(list, *j.entries[i])
	}
	return list
}

// Counts gives the count so far.
func (j *Journal) Counts() Counts {
	j.mu.Lock()
	defer j.mu.Unlock()
	sum := j.counts.sum
	sum.Requests = int64(len(j.entries))
	sum.Undecided = sum.Requests - sum.Accepted - sum.Refused
	sum.Duplicates = append([]Duplicate{}, sum.Duplicates...)
	sum.ByCode, sum.ByFate, sum.ByRun = maps.Clone(sum.ByCode), maps.Clone(sum.ByFate), maps.Clone(sum.ByRun)
	sum.ByEndpoint = maps.Clone(sum.ByEndpoint)
	return sum
}
