package contacts_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/jackc/pgx/v5"

	"bareed/contacts"
	"bareed/internal/errs"
	"bareed/internal/fixture"
)

func utf16le(s string, mark bool) string {
	var b bytes.Buffer
	if mark {
		b.WriteString("\xff\xfe")
	}
	for _, u := range utf16.Encode([]rune(s)) {
		_ = binary.Write(&b, binary.LittleEndian, u)
	}
	return b.String()
}

func columns(n int) string {
	names := []string{"phone"}
	for i := range n - 1 {
		names = append(names, fmt.Sprintf("c%d", i))
	}
	return strings.Join(names, ",")
}

func randomBytes(n int) string {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.UintN(256))
	}
	return string(b)
}

// What is wrong with a file as a whole refuses it at the door, and nothing of
// it is kept.
func TestFileFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.importer.Limits = contacts.Limits{Bytes: 2 << 20, Rows: 100}
	const row = "\n+966501234567"
	for _, c := range []struct {
		name, file string
		settings   contacts.Settings
		status     int
		code       string
		params     errs.Params
	}{
		{"C1 no bytes", "", contacts.Settings{}, 422, "csv.empty", nil},
		{"C1 blanks", "\ufeff \r\n\n", contacts.Settings{}, 422, "csv.empty", nil},
		{"C2 header only", "phone,name\n", contacts.Settings{}, 422, "csv.no_rows", nil},
		{"C3 first line is data", "+966501234567,Sara\n+966501234568,Ali\n", contacts.Settings{}, 422, "csv.header_missing",
			errs.Params{"line": "+9665••••••67, Sara", "column": "phone"}},
		{"C5 two delimiters, no telling", "a,phone number;b" + row, contacts.Settings{}, 422, "csv.delimiter", nil},
		{"C7 windows-1256", "phone,name" + row + ",\xe3\xcd\xe3\xcf\n", contacts.Settings{}, 422, "csv.encoding", errs.Params{"row": int64(1), "line": int64(2), "byte": int64(26)}},
		{"C7 cut in a character", "phone,name" + row + ",\xd8", contacts.Settings{}, 422, "csv.encoding", nil},
		{"C8 duplicate", "phone,Name, name" + row + ",a,b\n", contacts.Settings{}, 422, "csv.header_duplicate", errs.Params{"name": "name"}},
		{"C8 phone twice", "phone,phone" + row + ",1\n", contacts.Settings{}, 422, "csv.header_duplicate", nil},
		{"C9 no phone column", "name,city\nSara,Riyadh\n", contacts.Settings{}, 422, "csv.header_missing_column", errs.Params{"found": "name, city"}},
		{"C11 200 columns", columns(200) + row + "\n", contacts.Settings{}, 422, "csv.too_many_columns", errs.Params{"columns": 200, "limit": 50}},
		{"C11 long name", "phone," + strings.Repeat("x", 500) + row + ",1\n", contacts.Settings{}, 422, "csv.header_name", nil},
		{"C11 script", "phone,<script>" + row + ",1\n", contacts.Settings{}, 422, "csv.header_name", nil},
		{"C11 __proto__", "phone,__proto__" + row + ",1\n", contacts.Settings{}, 422, "csv.header_name", nil},
		{"C14 quote never closed, short", "phone,name\n1,a\n+966501234567,\"Sara\n2,b\n", contacts.Settings{}, 422, "csv.quote_open", errs.Params{"line": int64(3)}},
		{"C14 quote never closed, long", "phone,name\n1,a\n+966501234567,\"Sara\n" + strings.Repeat("2,b\n", 30000), contacts.Settings{}, 422, "csv.record_too_long", errs.Params{"line": int64(3)}},
		{"C14 one endless line", "phone,name\n" + strings.Repeat("x", 70000), contacts.Settings{}, 422, "csv.record_too_long", errs.Params{"line": int64(2)}},
		{"C14 endless header", "phone," + strings.Repeat("x", 70000), contacts.Settings{}, 422, "csv.record_too_long", errs.Params{"line": int64(1)}},
		{"C16 xlsx", "PK\x03\x04\x14\x00\x06\x00[Content_Types].xml" + randomBytes(500), contacts.Settings{}, 415, "csv.is_spreadsheet", nil},
		{"C16 xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + randomBytes(500), contacts.Settings{}, 415, "csv.is_spreadsheet", nil},
		{"C17 gzip", "\x1f\x8b\x08\x00" + randomBytes(500), contacts.Settings{}, 415, "upload.compressed", nil},
		{"C17 zip", "PK\x03\x04\x14\x00\x06\x00people.csv" + randomBytes(500), contacts.Settings{}, 415, "upload.compressed", nil},
		{"C18 HTML", "<!doctype html><html><body>phone</body></html>", contacts.Settings{}, 415, "csv.not_csv", nil},
		{"C18 JSON", "  [{\"phone\": \"+966501234567\"}]", contacts.Settings{}, 415, "csv.not_csv", nil},
		{"C19 PDF", "%PDF-1.7\n" + randomBytes(500), contacts.Settings{}, 415, "csv.not_csv", nil},
		{"C19 JPEG", "\xff\xd8\xff\xe0\x00\x10JFIF" + randomBytes(500), contacts.Settings{}, 415, "csv.not_csv", nil},
		{"C19 random", "phone" + randomBytes(5000), contacts.Settings{}, 415, "csv.not_csv", nil},
		{"C20 too large", "phone\n" + strings.Repeat("\n", 3<<20), contacts.Settings{}, 413, "upload.too_large", errs.Params{"limit": int64(2)}},
		{"C21 too many rows", "phone\n" + strings.Repeat("+966501234567\n", 101), contacts.Settings{}, 422, "csv.too_many_rows", errs.Params{"limit": int64(100)}},
		{"header with a stray quote", "phone,na\"me" + row, contacts.Settings{}, 422, "csv.header_quote", nil},
		{"strict", "phone\n+966501234567\n12\n", contacts.Settings{Strict: true}, 422, "import.strict", errs.Params{"rejected": 1, "rows": int64(2)}},
		{"mapping names no column", "phone" + row, contacts.Settings{Mapping: map[string]string{"Tel": "phone"}}, 422, "import.mapping_unknown", nil},
		{"mapping twice", "a,b\n1,2\n", contacts.Settings{Mapping: map[string]string{"a": "phone", "b": "phone"}}, 422, "import.mapping_twice", nil},
		{"mode", "phone" + row, contacts.Settings{Mode: "replace"}, 422, "import.mode", nil},
		{"country", "phone" + row, contacts.Settings{DefaultCountry: "Saudi"}, 422, "import.country", nil},
		{"encoding", "phone" + row, contacts.Settings{Encoding: "latin9"}, 422, "import.encoding", nil},
		{"delimiter", "phone" + row, contacts.Settings{Delimiter: "x"}, 422, "import.delimiter", nil},
		{"opt_in without wording", "phone,opt_in" + row + ",yes\n", contacts.Settings{}, 422, "consent.wording_missing", nil},
		{"consent by rows without a column", "phone" + row, contacts.Settings{Consent: rowsConsent()}, 422, "import.no_opt_in_column", nil},
		{"consent without source", "phone" + row, contacts.Settings{Consent: &contacts.Declaration{Covers: "file", Wording: wording()}}, 422, "consent.source_missing", nil},
		{"wording without WhatsApp", "phone" + row, contacts.Settings{Consent: &contacts.Declaration{Covers: "file", Source: "shop",
			Wording: &contacts.Wording{Text: "Acme may write to me", BusinessName: "Acme"}}}, 422, "consent.wording_whatsapp", nil},
		{"a method only the chat knows", "phone" + row, contacts.Settings{Consent: &contacts.Declaration{Covers: "file", Method: "keyword"}}, 422, "consent.method", nil},
	} {
		_, err := r.upload(t, c.file, c.settings)
		e, ok := errs.As(err)
		if !ok || e.Code != c.code || e.Status() != c.status {
			t.Errorf("%s: %v, want %d %s", c.name, err, c.status, c.code)
			continue
		}
		for k, want := range c.params {
			if e.Params[k] != want {
				t.Errorf("%s: %s = %v (%T), want %v (%T)", c.name, k, e.Params[k], e.Params[k], want, want)
			}
		}
	}
	if n := r.countRows(t, "blob") + r.countRows(t, "blob_chunk") + r.countRows(t, "import") + r.countRows(t, "contact"); n != 0 {
		t.Fatalf("%d rows of refused files are kept", n)
	}
}

// Files that are odd and still good.
func TestFilesAccepted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, c := range []struct{ name, file, encoding, delimiter string }{
		{"C4 mark, blanks, capitals", "\ufeff Phone , NAME \r\n+966501234567,Sara\r\n", "utf-8", ","},
		{"C4 Arabic header", "رقم الجوال,الاسم\n+966501234567,Sara\n", "utf-8", ","},
		{"C5 semicolon", "phone;name\n+966501234567;Sara\n", "utf-8", ";"},
		{"C5 tab", "phone\tname\n+966501234567\tSara\n", "utf-8", "\t"},
		{"C5 bar", "phone|name\n+966501234567|Sara\n", "utf-8", "|"},
		{"C5 semicolon beside commas", "phone;name;city, country\n+966501234567;Sara;Riyadh, SA\n", "utf-8", ";"},
		{"C6 UTF-16", utf16le("phone,name\n+966501234567,Sara\n", true), "utf-16le", ","},
		{"C6 UTF-16 without mark", utf16le("phone,name\n+966501234567,Sara\n", false), "utf-16le", ","},
		{"C44 CR", "phone,name\r+966501234567,Sara\r", "utf-8", ","},
		{"quoted", "\"phone\",\"name\"\n\"+966501234567\",\"Sara\"\n", "utf-8", ","},
		{"no line end", "phone,name\n+966501234567,Sara", "utf-8", ","},
		{"blank lines", "\n\nphone,name\n\n+966501234567,Sara\n\n\n", "utf-8", ","},
		{"an unnamed column", "phone,name,\n+966501234567,Sara,\n", "utf-8", ","},
	} {
		imp := r.run(t, c.file, contacts.Settings{})
		if imp.Rows != 1 || imp.Rejected != 0 || imp.Detected.Encoding != c.encoding || imp.Detected.Delimiter != c.delimiter {
			t.Errorf("%s: %s, detected %+v, %+v", c.name, figures(imp), imp.Detected, r.rejects(t, imp.ID))
		}
		if p := r.contact(t, "+966501234567"); p.Name != "Sara" {
			t.Errorf("%s: name %q", c.name, p.Name)
		}
	}
	imp := r.run(t, "phone,name\n+966501234567,\xd3\xc7\xd1\xc9\n", contacts.Settings{Encoding: "windows-1256"})
	if p := r.contact(t, "+966501234567"); p.Name != "سارة" || imp.Detected.Encoding != "windows-1256" {
		t.Errorf("C7 with the encoding chosen: %q", p.Name)
	}
	r.run(t, "Tel,Who,Town\n+966501234568,Ali,Jeddah\n", contacts.Settings{Mapping: map[string]string{"tel": "phone", "Who": "name", "Town": "City of living"}})
	if p := r.contact(t, "+966501234568"); p.Name != "Ali" || p.Attributes["city_of_living"] != "Jeddah" {
		t.Errorf("mapping: %+v", p)
	}
}

// What is wrong with a row is that row's, with its number, line and column.
func TestRowFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	fixture.Connect(t, r.pool, r.vault, r.tenant, fixture.RandomIDs())
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `update number set display_phone = '+966 55 999 9999'`)
		return err
	})
	tomorrow := time.Now().Add(48 * time.Hour).Format(time.DateOnly)
	for _, c := range []struct{ name, row, column, code string }{
		{"C12 too few", "+966501234567,Sara", "", "csv.field_count"},
		{"C12 too many", "+966501234567,a,b,c,d,e,f", "", "csv.field_count"},
		{"C13 bare quote", "+966501234567,5\" pipe,,,,", "", "csv.quote"},
		{"C13 text behind a quote", "+966501234567,\"a\"b,,,,", "", "csv.quote"},
		{"C15 NUL", "+966501234567,a\x00b,,,,", "name", "csv.control_char"},
		{"C15 bell in the phone", "+9665012\a34567,a,,,,", "Phone", "csv.control_char"},
		{"C25 no country", "0501234567,a,,,,", "Phone", "phone.no_country"},
		{"C27 scientific", "9.66501E+11,a,,,,", "Phone", "phone.scientific"},
		{"C28 short", "123,a,,,,", "Phone", "phone.invalid"},
		{"C28 long", "+9665012345678901,a,,,,", "Phone", "phone.invalid"},
		{"C28 letters", "+966CALLME,a,,,,", "Phone", "phone.invalid"},
		{"C28 extension", "+966501234567 x12,a,,,,", "Phone", "phone.invalid"},
		{"C29 two numbers", "+966501234567/+966501234568,a,,,,", "Phone", "phone.multiple"},
		{"C32 own number", "+966 55 999 9999,a,,,,", "Phone", "phone.is_sender"},
		{"no phone", ",a,,,,", "Phone", "phone.missing"},
		{"user id", "SA.1349,a,,,,", "Phone", "phone.bsuid"},
		{"C34 maybe", "+966501234567,a,,maybe,,", "opt_in", "optin.value"},
		{"C35 future", "+966501234567,a,,yes," + tomorrow + ",web", "opt_in_at", "optin.date_future"},
		{"C36 ambiguous", "+966501234567,a,,yes,01/02/2026,web", "opt_in_at", "optin.date_ambiguous"},
		{"no date", "+966501234567,a,,yes,yesterday,web", "opt_in_at", "optin.date"},
		{"C38 no source", "+966501234567,a,,yes,2026-01-02,", "opt_in_source", "optin.source_missing"},
		{"C39 long", "+966501234567,a," + strings.Repeat("x", 5000) + ",,,", "city", "attr.too_long"},
		{"C39 line end", "+966501234567,a,\"x\ny\",,,", "city", "attr.not_sendable"},
		{"C39 tab", "+966501234567,a,x\ty,,,", "city", "attr.not_sendable"},
		{"C39 five blanks", "+966501234567,a,x     y,,,", "city", "attr.not_sendable"},
		{"long name", "+966501234567," + strings.Repeat("x", 300) + ",,,,", "name", "attr.too_long"},
	} {
		file := "Phone,name,city,opt_in,opt_in_at,opt_in_source\n+966501111111,\"A\nB\",,,,\n" + c.row + "\n+966502222222,ok,,,,\n"
		imp, err := r.upload(t, file, contacts.Settings{Consent: &contacts.Declaration{Covers: "rows", Wording: wording()}})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		imp = r.finish(t, imp)
		rejects := r.rejects(t, imp.ID)
		if imp.Rejected != 2 || len(rejects) != 2 || imp.Rows != 3 {
			t.Errorf("%s: %s %+v", c.name, figures(imp), rejects)
			continue
		}
		x := rejects[1]
		if x.Row != 2 || x.Line != 4 || x.Column != c.column || x.Code != c.code {
			t.Errorf("%s: %+v, want %s in %q", c.name, x, c.code, c.column)
		}
		if strings.Contains(x.Got, "501234567") || len([]rune(x.Got)) > 41 {
			t.Errorf("%s: got shows %q", c.name, x.Got)
		}
		if c.code == "csv.field_count" && (x.Params["header"] != 6.0 || x.Params["fields"] == nil || x.Params["fields"] == 6.0) {
			t.Errorf("%s: %+v", c.name, x.Params)
		}
	}
}

func TestSpellings(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	imp := r.run(t, "phone\n+966501234567\n00966 50 123 4567\n\u200f٠٥٠١٢٣٤٥٦٧\n+5511987654321\n+551187654321\n+525512345678\n+5215512345678\n+5491123456789\n+541123456789\n",
		contacts.Settings{DefaultCountry: "SA"})
	if got, want := figures(imp), "completed rows=9 created=4 updated=0 unchanged=0 merged=5 rejected=0 opted=0 superseded=0"; got != want {
		t.Fatalf("C26 C30 C31:\n got %s\nwant %s", got, want)
	}
}

func TestOptInValues(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	imp := r.run(t, "phone,opt_in\n"+
		fixture.Phone(1)+",yes\n"+fixture.Phone(2)+",TRUE\n"+fixture.Phone(3)+",1\n"+fixture.Phone(4)+",نعم\n"+
		fixture.Phone(5)+",\n"+fixture.Phone(6)+",no\n"+fixture.Phone(7)+",لا\n", contacts.Settings{Consent: rowsConsent()})
	if imp.OptedIn != 4 || imp.Created != 7 {
		t.Fatalf("C34: %s", figures(imp))
	}
	all := r.run(t, "phone\n"+fixture.Phone(5)+"\n"+fixture.Phone(8)+"\n", contacts.Settings{Consent: fileConsent()})
	if all.OptedIn != 2 {
		t.Fatalf("a file's consent: %s", figures(all))
	}
}

func TestFormulas(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	names := []string{"=HYPERLINK(\"\"http://x\"\")", "@SUM(A1)", "-2+3", "\t=1"}
	for i, n := range names {
		r.run(t, "phone,name\n"+fixture.Phone(i)+",\""+n+"\"\n", contacts.Settings{})
		want := strings.TrimSpace(strings.ReplaceAll(n, `""`, `"`))
		if c := r.contact(t, fixture.Phone(i)); c.Name != want {
			t.Errorf("C33: %q became %q", n, c.Name)
		}
	}
	for in, want := range map[string]string{"=1+1": "'=1+1", "@x": "'@x", "-2": "'-2", "+966501234567": "966501234567", "+1+1": "'+1+1", "\tx": "'\tx", "ok": "ok", "": ""} {
		if got := contacts.GuardCell(in); got != want {
			t.Errorf("GuardCell(%q) = %q, want %q", in, got, want)
		}
	}
	imp := r.run(t, "phone,name\n=1+1,a\n123,\"x,\"\"y\"\"\"\n", contacts.Settings{})
	var out bytes.Buffer
	if err := r.importer.RejectsCSV(t.Context(), r.tenant.Workspace, imp.ID, "en", &out); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); !strings.HasPrefix(s, "\ufeffrow,line,column,code,message,value\r\n1,2,phone,phone.invalid,") || !strings.Contains(s, ",'=1+1\r\n2,3,phone,phone.invalid,") || !strings.HasSuffix(s, ",123\r\n") {
		t.Fatalf("rejects.csv:\n%s", s)
	}
}

// C45: a file of nothing but faults finishes.
func TestAllInvalid(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.importer.Limits.Chunk = 700
	imp := r.run(t, "phone\n"+strings.Repeat("nobody\n", 2500), contacts.Settings{})
	if got, want := figures(imp), "completed rows=2500 created=0 updated=0 unchanged=0 merged=0 rejected=2500 opted=0 superseded=0"; got != want {
		t.Fatalf("\n got %s\nwant %s", got, want)
	}
	var out bytes.Buffer
	if err := r.importer.RejectsCSV(t.Context(), r.tenant.Workspace, imp.ID, "ar", &out); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\r\n"); n != 2501 {
		t.Fatalf("the file of faults has %d lines", n)
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i, c := range []struct{ name, want string }{
		{"../../etc/passwd", "passwd"}, {`C:\Users\x\list.csv`, "list.csv"}, {strings.Repeat("a", 4096) + ".csv", strings.Repeat("a", 100)},
		{"a\u202ecsv.exe", "acsv.exe"}, {"a\r\nb.csv", "ab.csv"}, {"..", "file.csv"}, {"", "file.csv"}, {"قائمة.csv", "قائمة.csv"},
	} {
		imp, err := r.importer.Accept(t.Context(), r.tenant.Actor, contacts.Upload{Audience: r.audience, Name: c.name, Body: strings.NewReader(fmt.Sprintf("phone\n%s\n", fixture.Phone(i)))})
		if err != nil || imp.File != c.want {
			t.Errorf("C24 %q: %q, %v; want %q", c.name, imp.File, err, c.want)
		}
	}
}

// endless gives a header and then one quoted field that never ends.
type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(len(p), e.left)
	for i := range n {
		p[i] = 'x'
	}
	e.left -= n
	return n, nil
}

// A file that is one quote, and a large good one, pass in constant memory.
func TestMemoryIsBounded(t *testing.T) {
	r := newRig(t)
	peak := watchHeap(t)
	_, err := r.uploadTo(t, r.audience, io.MultiReader(strings.NewReader("phone,name\n+966501234567,\""), &endless{left: 64 << 20}), contacts.Settings{})
	if !errs.Is(err, "csv.record_too_long") {
		t.Fatalf("64 MB in one quote: %v", err)
	}
	lines := strings.Repeat("+966501234567,somebody with a name,Riyadh\n", 1000)
	readers := []io.Reader{strings.NewReader("phone,name,city\n")}
	for range 600 {
		readers = append(readers, strings.NewReader(lines))
	}
	if _, err := r.uploadTo(t, r.audience, io.MultiReader(readers...), contacts.Settings{}); err != nil {
		t.Fatalf("600,000 rows: %v", err)
	}
	if grown := peak(); grown > 32<<20 {
		t.Fatalf("the heap grew by %d MiB", grown>>20)
	}
}

func watchHeap(t *testing.T) func() uint64 {
	t.Helper()
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse
	}
	runtime.GC()
	base, peak := heap(), uint64(0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				peak = max(peak, heap())
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-done
		return peak - min(base, peak)
	}
}

func BenchmarkImport(b *testing.B) {
	r := newRig(b)
	const n = 20000
	for i := 0; b.Loop(); i++ {
		var file strings.Builder
		file.WriteString("phone,name,city,opt_in,opt_in_at\n")
		for k := range n {
			fmt.Fprintf(&file, "%s,Person %d,Riyadh,yes,2026-01-01\n", fixture.Phone(i*n+k), k)
		}
		imp, err := r.upload(b, file.String(), contacts.Settings{Consent: rowsConsent()})
		if err != nil {
			b.Fatal(err)
		}
		r.finish(b, imp)
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "rows/s")
}
