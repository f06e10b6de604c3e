package whatsapp

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// flexString takes a JSON string, number or boolean; anything else is empty.
// Meta writes the same id as a string on one page and as a number on another.
type flexString string

// UnmarshalJSON never fails, so that one odd field cannot spoil its object.
func (f *flexString) UnmarshalJSON(b []byte) error {
	*f = ""
	if len(b) == 0 || bytes.Equal(b, []byte("null")) {
		return nil
	}
	switch b[0] {
	case '"':
		if len(b) < 2 {
			return nil
		}
		var s string
		if plain := b[1 : len(b)-1]; bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
			*f = flexString(plain)
		} else if json.Unmarshal(b, &s) == nil {
			*f = flexString(s)
		}
	case '{', '[':
	default:
		*f = flexString(b)
	}
	return nil
}

// flexInt takes a JSON integer or a string that holds one.
type flexInt struct {
	n     int
	valid bool
}

// UnmarshalJSON never fails; valid says whether a number was found.
func (f *flexInt) UnmarshalJSON(b []byte) error {
	*f = flexInt{}
	n, err := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 64)
	if err == nil {
		*f = flexInt{n: int(n), valid: true}
	}
	return nil
}

// year2100 bounds believable timestamps.
const year2100 = 4102444800

// flexTime takes seconds since 1970 as a number or a string.
type flexTime struct {
	at      time.Time
	invalid bool // present but unusable: text, not positive, from 2100 on
}

// UnmarshalJSON never fails.
func (f *flexTime) UnmarshalJSON(b []byte) error {
	*f = flexTime{}
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	n, err := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 64)
	if err != nil || n <= 0 || n >= year2100 {
		f.invalid = true
		return nil
	}
	f.at = time.Unix(n, 0).UTC()
	return nil
}

// fields splits a JSON object into its members, the last of a name counting; nil
// when it is not an object. Here and in elements the text must be valid JSON:
// it is proven once, at the door (ParseWebhook, DecodeStored, a decoder's
// UnmarshalJSON). encoding/json would prove every part anew at every depth, which
// took half of the time of taking a webhook in.
func fields(raw json.RawMessage) map[string]json.RawMessage {
	object := gjson.ParseBytes(raw)
	if !object.IsObject() {
		return nil
	}
	m := map[string]json.RawMessage{}
	object.ForEach(func(key, value gjson.Result) bool {
		m[key.String()] = json.RawMessage(value.Raw)
		return true
	})
	return m
}

// elements splits an array; a lone object counts as a list of one.
func elements(raw json.RawMessage) []json.RawMessage {
	list := gjson.ParseBytes(raw)
	switch {
	case list.IsObject():
		return []json.RawMessage{bytes.TrimSpace(raw)}
	case !list.IsArray():
		return nil
	}
	parts := []json.RawMessage{}
	list.ForEach(func(_, value gjson.Result) bool {
		parts = append(parts, json.RawMessage(value.Raw))
		return true
	})
	return parts
}

// isObject says whether a non-empty raw value is an object.
func isObject(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) > 0 && raw[0] == '{'
}

// text reads one member as a string, "" when absent.
func text(m map[string]json.RawMessage, key string) string {
	var s flexString
	if raw, ok := m[key]; ok {
		_ = s.UnmarshalJSON(bytes.TrimSpace(raw))
	}
	return string(s)
}

// number reads one member as an integer; nil when absent or not a number.
func number(m map[string]json.RawMessage, key string) *int {
	var n flexInt
	if raw, ok := m[key]; ok {
		_ = n.UnmarshalJSON(bytes.TrimSpace(raw))
	}
	if !n.valid {
		return nil
	}
	return &n.n
}

// instant reads one member as a timestamp.
func instant(m map[string]json.RawMessage, key string) flexTime {
	var t flexTime
	if raw, ok := m[key]; ok {
		_ = t.UnmarshalJSON(bytes.TrimSpace(raw))
	}
	return t
}
