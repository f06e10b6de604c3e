package people

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"slices"
	"time"

	"bareed/api/front"
	"bareed/contacts"
	"bareed/internal/errs"
)

// An upload slower than minPace bytes in paceWindow is stopped.
const (
	paceWindow = time.Minute
	minPace    = 60 << 10
	maxParts   = 20
)

// openUpload finds the file in the body.
func openUpload(contentType string, body io.Reader, u *contacts.Upload) error {
	kind, params, err := mime.ParseMediaType(contentType)
	switch {
	case err == nil && slices.Contains([]string{"text/csv", "text/plain", "text/tab-separated-values", "application/csv", "application/octet-stream", "application/vnd.ms-excel"}, kind):
		u.Body = body
		return nil
	case err == nil && kind == "multipart/form-data" && params["boundary"] != "":
		f := &form{mr: multipart.NewReader(body, params["boundary"])}
		return f.open(u)
	}
	return errs.New("upload.content_type")
}

// form is a multipart upload that is read part by part.
type form struct {
	mr    *multipart.Reader
	part  *multipart.Part
	parts int
	over  error // how the file ended, once it has
}

func (f *form) next() (*multipart.Part, error) {
	part, err := f.mr.NextPart()
	if err == io.EOF {
		return nil, io.EOF
	}
	if err != nil {
		if _, ours := errs.As(err); ours {
			return nil, err
		}
		return nil, errs.New("multipart.syntax").Because(err)
	}
	if f.parts++; f.parts > maxParts {
		return nil, errs.New("multipart.too_many_parts", "limit", maxParts)
	}
	return part, nil
}

// open reads the parts before the file.
func (f *form) open(u *contacts.Upload) error {
	for {
		part, err := f.next()
		if err == io.EOF {
			return errs.New("multipart.no_file")
		}
		if err != nil {
			return err
		}
		if part.FileName() != "" || part.FormName() == "file" {
			f.part, u.Body, u.Name = part, f, part.FileName()
			return nil
		}
		value, err := io.ReadAll(io.LimitReader(part, front.MaxJSON))
		if err != nil {
			return errs.New("multipart.syntax").Because(err)
		}
		if err := say(part.FormName(), string(value), u); err != nil {
			return err
		}
	}
}

// Read gives the file and, at its end, refuses what else the form holds: the
// import is made only after that.
func (f *form) Read(p []byte) (int, error) {
	if f.over != nil {
		return 0, f.over
	}
	n, err := f.read(p)
	f.over = err
	return n, err
}

func (f *form) read(p []byte) (int, error) {
	n, err := f.part.Read(p)
	if err == nil {
		return n, nil
	}
	if err != io.EOF {
		if _, ours := errs.As(err); ours {
			return n, err
		}
		return n, errs.New("multipart.syntax").Because(err)
	}
	for {
		part, err := f.next()
		switch {
		case err != nil:
			return n, err
		case part.FileName() != "" || part.FormName() == "file":
			return n, errs.New("multipart.one_file_only")
		case part.FormName() == "settings":
			return n, errs.New("import.settings_late")
		}
	}
}

// pace stops an upload that trickles.
type pace struct {
	src      io.Reader
	now      func() time.Time
	deadline func(time.Time) error
	until    time.Time
	got      int
}

// Read gives the next bytes, upload.too_slow or upload.too_large.
func (p *pace) Read(b []byte) (int, error) {
	now := p.now()
	if !now.Before(p.until) {
		if !p.until.IsZero() && p.got < minPace {
			return 0, errs.New("upload.too_slow")
		}
		p.until, p.got = now.Add(paceWindow), 0
		_ = p.deadline(time.Now().Add(2 * paceWindow)) // not every writer can, such as a test's
	}
	n, err := p.src.Read(b)
	p.got += n
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		err = errs.New("upload.too_large", "limit", front.Megabytes(tooLarge.Limit))
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = errs.New("upload.too_slow")
	}
	return n, err
}
