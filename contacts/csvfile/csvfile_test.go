package csvfile

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"bareed/internal/errs"
)

// The guard and encoding/csv must agree where records begin and end: else a
// record could grow past the cap unseen, or good rows be refused.
func FuzzGuard(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a,\"b\nc\",d\r\n\n1,2,3", "a\"b,c\n", "\"a\"b,\"c\nd\"\n", "\"a\"\"b\"\n", "\r\n\r\na", "\"\"", ",,\n", "a,\"\n", "\"a\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		g := newGuard(iotest.OneByteReader(strings.NewReader(s)), ',', false)
		guarded := csv.NewReader(g)
		guarded.FieldsPerRecord = -1
		plain := csv.NewReader(strings.NewReader(s))
		plain.FieldsPerRecord = -1
		var n int64
		for {
			want, wantErr := plain.Read()
			got, gotErr := guarded.Read()
			if g.err != nil {
				if _, ok := errs.As(g.err); !ok {
					t.Fatalf("stopped without a code: %v", g.err)
				}
				return
			}
			if (wantErr == nil) != (gotErr == nil) || strings.Join(want, "\x00") != strings.Join(got, "\x00") {
				t.Fatalf("record %d: %q %v, without the guard %q %v", n, got, gotErr, want, wantErr)
			}
			if errors.Is(wantErr, io.EOF) {
				return
			}
			if n++; wantErr == nil && g.records != n && !(g.records == n-1 && g.state != atRecord) {
				t.Fatalf("the guard counts %d records, encoding/csv %d in %q", g.records, n, s)
			}
			if wantErr == nil && g.records == n && g.lastFields != len(want) {
				t.Fatalf("the guard counts %d fields, encoding/csv %d in %q", g.lastFields, len(want), s)
			}
		}
	})
}

func FuzzOpen(f *testing.F) {
	for _, s := range []string{"phone,name\n+966501234567,Sara\n", "phone;name\r1;2\r", "\xff\xfep\x00h\x00", "\ufeffphone\n1", "PK\x03\x04", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		rs, err := Open(strings.NewReader(s), Options{IsPhone: func(s string) bool { return len(s) > 6 }})
		for n := 0; err == nil; n++ {
			if n > len(s) {
				t.Fatal("more rows than bytes")
			}
			_, err = rs.Next()
		}
		if _, ok := errs.As(err); !ok && !errors.Is(err, io.EOF) {
			t.Fatalf("ended without a code: %v", err)
		}
	})
}
