package front

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"mime"
	"net/http"
	"reflect"

	"github.com/gin-gonic/gin"

	"bareed/api/front/strictjson"
	"bareed/internal/errs"
)

// fingerprintKey is where a gin context keeps what the idempotency store
// compares requests by.
const fingerprintKey = "fingerprint"

// checkBody reads a JSON body and refuses what the decoder would repair; the
// handler reads it again from memory. A streamed body is bounded and hashed as
// it passes.
func (f *Front) checkBody(c *gin.Context, row Route, streamed bool) error {
	r := c.Request
	if !row.Writes() {
		if r.ContentLength != 0 {
			return errs.New("body.unexpected")
		}
		return nil
	}
	if streamed {
		f.watchStream(c, row)
		return nil
	}
	b, err := io.ReadAll(http.MaxBytesReader(c.Writer, r.Body, MaxJSON))
	if err != nil {
		return bodyFault(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
	want, wanted := f.bodies[row.Route]
	var v any = map[string]any{}
	switch {
	case len(b) == 0 && wanted && want.Kind() != reflect.Pointer: // a pointer's body may be left out
		return errs.New("body.missing")
	case len(b) > 0:
		if !isJSON(r.Header.Get("Content-Type")) || r.Header.Get("Content-Encoding") != "" {
			return errs.New("content_type")
		}
		if v, err = strictjson.Read(b); err != nil {
			return err
		}
		if !wanted {
			want = reflect.TypeFor[struct{}]()
		}
		if err := strictjson.Fit(v, want); err != nil {
			return err
		}
	}
	c.Set(fingerprintKey, fingerprint(r, v))
	return nil
}

func bodyFault(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return errs.New("body.broken_off").Because(err)
}

// isJSON takes application/json and its +json kin, in UTF-8 or unsaid.
func isJSON(contentType string) bool {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	charset := params["charset"]
	return (kind == "application/json" || kind == "application/merge-patch+json") &&
		(charset == "" || charset == "utf-8" || charset == "UTF-8")
}

// fingerprint is SHA-256 over the query in order and the body in canonical
// form, so that spaces and the order of names make no difference.
func fingerprint(r *http.Request, body any) []byte {
	h := sha256.New()
	_, _ = io.WriteString(h, r.URL.Query().Encode()+"\x00")
	_ = json.NewEncoder(h).Encode(body) // maps are written in order of names; a hash takes all writes
	return h.Sum(nil)
}

// watchStream bounds a streamed body and hashes what the handler reads of it.
func (f *Front) watchStream(c *gin.Context, row Route) {
	limit := int64(MaxJSON)
	if row.Long {
		limit = MaxUpload
	}
	kind, params, _ := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	h := newStreamHash(params["boundary"])
	_, _ = io.WriteString(h.h, c.Request.URL.Query().Encode()+"\x00"+kind+"\x00")
	body := http.MaxBytesReader(c.Writer, c.Request.Body, limit)
	c.Request.Body = &hashedBody{ReadCloser: body, h: h}
}

// hashedBody hashes what is read.
type hashedBody struct {
	io.ReadCloser
	h   *streamHash
	end bool
}

// Read implements io.Reader.
func (b *hashedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.h.write(p[:n])
	b.end = b.end || errors.Is(err, io.EOF)
	return n, err
}

// rest reads and hashes what the handler left, and returns the fingerprint.
func (b *hashedBody) rest() ([]byte, error) {
	if !b.end {
		if _, err := io.Copy(io.Discard, b); err != nil {
			return nil, bodyFault(err)
		}
	}
	return b.h.sum(), nil
}

// streamHash leaves the multipart boundary out, which is another one each time
// a client sends the same form.
type streamHash struct {
	h    hash.Hash
	skip []byte
	held []byte // the last bytes, which may be the start of a boundary
}

func newStreamHash(boundary string) *streamHash {
	return &streamHash{h: sha256.New(), skip: []byte(boundary)}
}

func (s *streamHash) write(p []byte) {
	if len(s.skip) == 0 {
		s.h.Write(p)
		return
	}
	s.held = append(s.held, p...)
	for {
		i := bytes.Index(s.held, s.skip)
		if i < 0 {
			break
		}
		s.h.Write(s.held[:i])
		s.held = s.held[i+len(s.skip):]
	}
	if keep := len(s.skip) - 1; len(s.held) > keep {
		s.h.Write(s.held[:len(s.held)-keep])
		s.held = append([]byte(nil), s.held[len(s.held)-keep:]...)
	}
}

func (s *streamHash) sum() []byte {
	s.h.Write(s.held)
	s.held = nil
	return s.h.Sum(nil)
}
