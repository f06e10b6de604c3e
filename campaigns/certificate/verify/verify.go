// Package verify checks a certificate without the installation that wrote it:
// that nothing in it was changed, that everybody is accounted for, that nobody
// has more than one accepted request, and that no request was repeated after
// silence without a proof or a person's decision.
//
// The verify command calls it. It imports the standard library alone, so that
// it can be read, and taken elsewhere, by whoever does not trust the rest. It
// knows the states and the rules from its own tables, not from the engine.
package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// Result is what a certificate says, and every difference that was found.
type Result struct {
	Head   Head
	Totals Totals   // counted anew
	Seal   string   // computed anew
	Faults []string // whole sentences; none: the certificate holds
	Cut    int      // faults beyond those that are listed
	Blocks int      // of the audit ledger that were computed anew
}

// maxFaults bounds the list: a certificate of another making has one per person.
const maxFaults = 50

// Good tells whether nothing was found.
func (r *Result) Good() bool { return len(r.Faults) == 0 }

func (r *Result) fault(format string, args ...any) {
	if len(r.Faults) == maxFaults {
		r.Cut++
		return
	}
	r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
}

// checker reads a certificate once from front to end.
type checker struct {
	Result
	in      *json.Decoder
	digest  []byte
	last    int32    // ordinal of the person before
	persons []uint64 // the first 8 bytes of each person's hash; sorted at the end
}

// Read checks a certificate. The error is of reading alone; what is wrong with
// the certificate itself is in the result.
func Read(in io.Reader) (Result, error) {
	source := &reader{in: in}
	c := &checker{in: json.NewDecoder(source)}
	c.Totals = Totals{Failed: map[string]int64{}, Suppressed: map[string]int64{}}
	if err := c.parts(); err != nil {
		if source.err != nil {
			return c.Result, source.err
		}
		c.fault("This is not a whole certificate: %v.", err)
	}
	return c.Result, nil
}

// reader keeps what went wrong with the reading itself.
type reader struct {
	in  io.Reader
	err error
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// parts reads the five parts in their order; any other order or member is none
// of this form.
func (c *checker) parts() error {
	if err := c.token(json.Delim('{')); err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		read func() error
	}{
		{"certificate", c.readHead}, {"recipients", c.readPeople}, {"totals", c.readTotals}, {"ledgers", c.readLedgers}, {"seal", c.readSeal},
	} {
		if err := c.token(part.name); err != nil {
			return err
		}
		if err := part.read(); err != nil {
			return fmt.Errorf("the part %q: %w", part.name, err)
		}
	}
	if err := c.token(json.Delim('}')); err != nil {
		return err
	}
	if _, err := c.in.Token(); err != io.EOF {
		return fmt.Errorf("something stands behind its end")
	}
	return nil
}

func (c *checker) token(want json.Token) error {
	got, err := c.in.Token()
	if err == io.EOF {
		return fmt.Errorf("it ends where %v was to stand", want)
	}
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%v stands where %v was to stand", got, want)
	}
	return nil
}

// element reads one JSON value into v and returns its canonical form. What v
// does not know, what stands twice and what is out of order shows as another
// form than the one that is there.
func (c *checker) element(v any) ([]byte, error) {
	var raw json.RawMessage
	if err := c.in.Decode(&raw); err != nil {
		return nil, err
	}
	strict := json.NewDecoder(bytes.NewReader(raw))
	strict.DisallowUnknownFields()
	if err := strict.Decode(v); err != nil {
		return nil, err
	}
	var there, canonical bytes.Buffer
	if err := json.Compact(&there, raw); err != nil {
		return nil, err
	}
	e := json.NewEncoder(&canonical)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	line := bytes.TrimSuffix(canonical.Bytes(), []byte("\n"))
	if !bytes.Equal(there.Bytes(), line) {
		return nil, fmt.Errorf("it is not in the canonical form")
	}
	return line, nil
}

func (c *checker) link(parts ...[]byte) {
	sum := sha256.Sum256(bytes.Join(parts, nil))
	c.digest = sum[:]
}

func (c *checker) readHead() error {
	line, err := c.element(&c.Head)
	if err != nil {
		return err
	}
	c.link([]byte(Format+"\n"), line)
	h := c.Head
	if h.Format != Format {
		c.fault("The form is %q; this program knows %q.", h.Format, Format)
	}
	if h.Policy != "hold" && h.Policy != "evidence" {
		c.fault("%q is no policy for messages without an answer.", h.Policy)
	}
	if h.EndedAt != nil && h.StartedAt != nil && h.EndedAt.Before(*h.StartedAt) {
		c.fault("The run ended before it started.")
	}
	return nil
}

func (c *checker) readPeople() error {
	if err := c.token(json.Delim('[')); err != nil {
		return err
	}
	for c.in.More() {
		var p Person
		line, err := c.element(&p)
		if err != nil {
			return fmt.Errorf("behind person %d: %w", c.last, err)
		}
		c.link(c.digest, line)
		c.person(p)
	}
	c.unique()
	return c.token(json.Delim(']'))
}

// unique finds a person who stands there twice.
func (c *checker) unique() {
	slices.Sort(c.persons)
	for i := 1; i < len(c.persons); i++ {
		if c.persons[i] == c.persons[i-1] {
			c.fault("The person whose hash begins with %016x stands in the certificate more than once.", c.persons[i])
		}
	}
}

func (c *checker) readTotals() error {
	said := Totals{}
	line, err := c.element(&said)
	if err != nil {
		return err
	}
	c.link(c.digest, line)
	c.compare(said)
	return nil
}

func (c *checker) readSeal() error {
	var s struct {
		Method string `json:"method"`
		Value  string `json:"value"`
	}
	if _, err := c.element(&s); err != nil {
		return err
	}
	c.Seal = hex.EncodeToString(c.digest)
	if s.Method != "sha256-chain" {
		c.fault("The seal's method is %q; this program knows \"sha256-chain\".", s.Method)
	}
	if s.Value != c.Seal {
		c.fault("The seal does not fit: something in the certificate was changed, added or taken out after it was written.")
	}
	return nil
}

// Format is the form this package knows.
const Format = "bareed.certificate/1"

// Head says what the certificate is about; its members are in canonical order.
type Head struct {
	Campaign     string     `json:"campaign"`
	CampaignName string     `json:"campaign_name"`
	EndedAt      *time.Time `json:"ended_at,omitempty"`
	Final        bool       `json:"final"`
	Format       string     `json:"format"`
	IssuedAt     time.Time  `json:"issued_at"`
	Number       string     `json:"number"`
	Planned      int64      `json:"planned"`
	Policy       string     `json:"policy"`
	Purpose      string     `json:"purpose"`
	Run          string     `json:"run"`
	RunState     string     `json:"run_state"`
	StartedAt    *time.Time `json:"started_at,omitempty"`
	Template     string     `json:"template"`
	TemplateHash string     `json:"template_hash"`
	Workspace    string     `json:"workspace"`
}
