package spool

import (
	"io"

	"bareed/internal/errs"
)

// Limited is an upload that may not be longer than a limit. Fault is how it
// ended, when it did not end by itself.
type Limited struct {
	Fault error
	src   io.Reader
	left  int64
	limit int64
}

// Limit bounds a file on its way in; limit is in bytes.
func Limit(src io.Reader, limit int64) *Limited { return &Limited{src: src, left: limit, limit: limit} }

// Read gives the next bytes, and upload.too_large or upload.interrupted.
func (l *Limited) Read(p []byte) (int, error) {
	if l.Fault != nil {
		return 0, l.Fault
	}
	n, err := l.src.Read(p)
	if l.left -= int64(n); l.left < 0 {
		l.Fault = errs.New("upload.too_large", "limit", l.limit>>20)
		return 0, l.Fault
	}
	if err != nil && err != io.EOF {
		l.Fault = err
		if _, ours := errs.As(err); !ours {
			l.Fault = errs.New("upload.interrupted").Because(err)
		}
		return n, l.Fault
	}
	return n, err
}
