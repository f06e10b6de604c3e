package id

import (
	"fmt"
	"strconv"
	"strings"
)

// Message names one recipient's message: its run and its place in that run.
type Message struct {
	Run     Run
	Ordinal int32
}

// String returns msg_<run>_<ordinal>.
func (m Message) String() string {
	return "msg_" + strings.TrimPrefix(m.Run.String(), "run_") + "_" + strconv.Itoa(int(m.Ordinal))
}

// MarshalText writes String.
func (m Message) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (m *Message) UnmarshalText(b []byte) error {
	v, err := ParseMessage(string(b))
	if err != nil {
		return err
	}
	*m = v
	return nil
}

// ParseMessage reads the text form; ErrMalformed for anything else.
func ParseMessage(s string) (Message, error) {
	rest, ok := strings.CutPrefix(s, "msg_")
	if !ok {
		return Message{}, ErrMalformed
	}
	run, ord, ok := strings.Cut(rest, "_")
	if !ok {
		return Message{}, ErrMalformed
	}
	r, err := Parse[Run]("run_" + run)
	if err != nil {
		return Message{}, err
	}
	n, err := strconv.ParseInt(ord, 10, 32)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != ord {
		return Message{}, fmt.Errorf("message ordinal: %w", ErrMalformed)
	}
	return Message{Run: r, Ordinal: int32(n)}, nil
}
