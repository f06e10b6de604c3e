package front

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"bareed/internal/errs"
)

// Versioned is an answer whose ETag names the version of what can be edited.
type Versioned[T any] struct {
	ETag     string `header:"ETag" doc:"Send it back as If-Match of a change"`
	Location string `header:"Location"`
	Body     T
}

// ETag names a version by what can be edited of it: the same values, the same
// tag.
func ETag(editable any) string {
	b, err := json.Marshal(editable)
	if err != nil {
		return `"0"`
	}
	sum := sha256.Sum256(b)
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}

// Match compares If-Match with the present version (RFC 9110, 13.1.1):
// version.required without one where it is needed, version.stale for another.
// A tag that a proxy made weak on the way is taken.
func Match(header, present string, needed bool) error {
	if strings.TrimSpace(header) == "" {
		if needed {
			return errs.New("version.required")
		}
		return nil
	}
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || tag == present {
			return nil
		}
	}
	return errs.New("version.stale")
}

// OrUnchanged describes the answer to an If-None-Match that names what there is.
func OrUnchanged(op *huma.Operation) {
	op.Responses["304"] = &huma.Response{Description: "It has not changed"}
}
