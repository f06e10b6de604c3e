package csvfile

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/gocarina/gocsv"

	"bareed/internal/errs"
)

// Options are what is known of a file beforehand; all but IsPhone may be empty.
type Options struct {
	Encoding  string            // one of Encodings
	Delimiter string            // one byte
	Mapping   map[string]string // header → one of the Column names, or an attribute's name
	IsPhone   func(cell string) bool
	Loose     bool // no column has to be the phone; cells come in Attributes, by Place
}

// Place is the name of a column's cells in a loose reading: its number from 0.
func Place(i int) string { return "#" + strconv.Itoa(i) }

// Record is one row as gocsv fills it; columns that are attributes come beside
// it in a map.
type Record struct {
	Phone       string `csv:"phone"`
	Name        string `csv:"name"`
	OptIn       string `csv:"opt_in"`
	OptInAt     string `csv:"opt_in_at"`
	OptInSource string `csv:"opt_in_source"`
}

// Detected is what was found out about a file.
type Detected struct {
	Encoding  string   `json:"encoding"`
	Delimiter string   `json:"delimiter"`
	Columns   []Column `json:"columns"`
}

// Column is one column of a file and what it is taken for: phone, name, opt_in,
// opt_in_at, opt_in_source, "-" when ignored, or an attribute's name.
type Column struct {
	Header string `json:"header"`
	As     string `json:"as"`
}

// Has tells whether a column is taken for that.
func (d Detected) Has(column string) bool {
	for _, c := range d.Columns {
		if c.As == column {
			return true
		}
	}
	return false
}

// Rows reads a CSV file record by record in constant memory.
type Rows struct {
	Detected
	guard  *guard
	csv    *csv.Reader
	gocsv  *gocsv.Unmarshaller
	header header
	shown  map[string]string
	n      int64 // records given out; the header is none
}

// Open finds encoding, delimiter and header. Every fault of the file is an
// *errs.Error.
func Open(src io.Reader, o Options) (*Rows, error) {
	raw := bufio.NewReaderSize(src, headSize)
	head, err := raw.Peek(headSize)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if err := refuseOther(head); err != nil {
		return nil, err
	}
	text, encoding := decode(raw, head, o.Encoding)
	buffered := bufio.NewReaderSize(text, headSize)
	head, err = buffered.Peek(headSize)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if strings.HasPrefix(string(head), "\ufeff") {
		if _, err := buffered.Discard(len("\ufeff")); err != nil {
			return nil, fmt.Errorf("skip the byte order mark: %w", err)
		}
		head = head[len("\ufeff"):]
	}
	if len(strings.TrimSpace(string(head))) == 0 && len(head) < headSize {
		return nil, errs.New("csv.empty")
	}
	return newRows(buffered, string(head), encoding, o)
}

func newRows(text io.Reader, head, encoding string, o Options) (*Rows, error) {
	crOnly := strings.Contains(head, "\r") && !strings.Contains(head, "\n")
	if crOnly {
		head = strings.ReplaceAll(head, "\r", "\n")
	}
	head = strings.TrimLeft(head, "\r\n")
	comma := byte(',')
	if o.Delimiter != "" {
		comma = o.Delimiter[0]
	} else {
		var err error
		if comma, err = sniffDelimiter(head); err != nil {
			return nil, err
		}
	}
	r := &Rows{Detected: Detected{Encoding: encoding, Delimiter: string(comma)}, guard: newGuard(text, comma, crOnly)}
	r.csv = csv.NewReader(r.guard)
	r.csv.Comma = rune(comma)
	r.csv.ReuseRecord = true
	if err := r.readHeader(o); err != nil {
		return nil, err
	}
	return r, nil
}

// readHeader lets gocsv read the first record and gives it the columns' names
// instead; gocsv's own settings are global to the process and stay untouched.
func (r *Rows) readHeader(o Options) error {
	um, err := gocsv.NewUnmarshaller(r.csv, Record{})
	if r.guard.err != nil {
		return r.guard.err
	}
	if err != nil {
		return errs.New("csv.header_quote").Because(err)
	}
	if r.header, err = readHeader(um.Headers, o); err != nil {
		return err
	}
	names := slices.Clone(r.header.columns)
	for i := range names {
		if o.Loose {
			names[i] = Place(i)
		}
	}
	if err := um.RenormalizeHeaders(func([]string) []string { return names }); err != nil {
		return fmt.Errorf("name the columns: %w", err)
	}
	r.gocsv, r.shown = um, make(map[string]string)
	for i, c := range r.header.columns {
		r.shown[c] = r.header.shown[i]
		r.Columns = append(r.Columns, Column{Header: r.header.shown[i], As: c})
	}
	return nil
}

// Shown gives the headers as written, by what their columns are taken for.
func (r *Rows) Shown() map[string]string { return r.shown }

// Count is how many records were given out, the header not among them.
func (r *Rows) Count() int64 { return r.n }

// Row is one record of the file, or why it could not be read.
type Row struct {
	Record
	Number     int64 // from 1, the header is none
	Line       int64 // where it begins
	Attributes map[string]string
	Fault      *errs.Error
}

// Next returns the next record; io.EOF after the last, and an *errs.Error when
// the rest of the file cannot be read at all. A record that is only wrong in
// itself comes with its fault.
func (r *Rows) Next() (Row, error) {
	v, attributes, err := r.gocsv.ReadUnmatched()
	if r.guard.err != nil && err != nil {
		return Row{}, r.guard.err
	}
	var fault *csv.ParseError
	switch {
	case err == nil:
		line, _ := r.csv.FieldPos(0)
		r.n++
		delete(attributes, ColumnIgnored)
		return Row{Record: v.(Record), Number: r.n, Line: int64(line), Attributes: attributes}, nil
	case errors.As(err, &fault):
		r.n++
		return Row{Number: r.n, Line: int64(fault.StartLine), Fault: r.faultOf(fault)}, nil
	}
	return Row{}, err
}

func (r *Rows) faultOf(fault *csv.ParseError) *errs.Error {
	if errors.Is(fault, csv.ErrFieldCount) {
		return errs.New("csv.field_count", "row", r.n, "line", fault.StartLine, "fields", r.guard.lastFields, "header", len(r.header.columns))
	}
	return errs.New("csv.quote", "line", fault.Line)
}
