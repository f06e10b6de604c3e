package errs

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Shown turns any error into one a person may see. inside: it says less than
// err does, so that the log must keep err. full tells that the database takes
// no more, away that it cannot be reached or gave up for reasons of this moment.
func Shown(err error, full, away bool) (e *Error, inside bool) {
	var tooLarge *http.MaxBytesError
	e, ok := As(err)
	switch {
	case errors.As(err, &tooLarge):
		return New("body.too_large", "limit", tooLarge.Limit>>20), false
	case ok && e.Status() < 500:
		return e, false
	case ok: // said on purpose, whatever lies behind it, such as a webhook's "send it again"
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled):
		e = New("timeout")
		e.RetryAfter = time.Second
	case full:
		e = New("storage.full")
		e.RetryAfter = 30 * time.Second
	case away:
		e = New("storage.unavailable")
		e.RetryAfter = 2 * time.Second
	default:
		e = New("internal")
	}
	return e, true
}
