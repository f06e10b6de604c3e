package csvfile

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"bareed/internal/errs"
)

// headSize is how much of a file is looked at before it is read: enough for
// the longest header that is allowed.
const headSize = 64 << 10

// Encodings lists what a person may choose for a file.
func Encodings() []string {
	return []string{"utf-8", "utf-16le", "utf-16be", "windows-1256", "windows-1252"}
}

var magicCompressed = []string{"\x1f\x8b", "BZh", "\xfd7zXZ\x00", "\x28\xb5\x2f\xfd", "7z\xbc\xaf\x27\x1c", "Rar!", "PK\x03\x04", "PK\x05\x06"}

var magicOther = []string{"%PDF", "\xff\xd8\xff", "\x89PNG", "GIF8", "RIFF", "\x7fELF", "MZ\x90", "SQLite format 3", "{\\rtf"}

// refuseOther refuses what cannot be a CSV file by its first bytes. Nothing is
// ever unpacked.
func refuseOther(head []byte) error {
	if len(head) == 0 {
		return errs.New("csv.empty")
	}
	if bytes.HasPrefix(head, []byte("PK")) && (bytes.Contains(head, []byte("[Content_Types].xml")) ||
		bytes.Contains(head, []byte("xl/")) || bytes.Contains(head, []byte("opendocument.spreadsheet"))) ||
		bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")) {
		return errs.New("csv.is_spreadsheet")
	}
	if hasAnyPrefix(head, magicCompressed) {
		return errs.New("upload.compressed")
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(text) > 0 && strings.IndexByte("<{[", text[0]) >= 0 || hasAnyPrefix(head, magicOther) {
		return errs.New("csv.not_csv")
	}
	if control := countControl(head); control*5 > len(head) || !validHead(head) && control*25 > len(head) {
		if utf16Name(head) == "" {
			return errs.New("csv.not_csv")
		}
	}
	return nil
}

func hasAnyPrefix(head []byte, prefixes []string) bool {
	for _, p := range prefixes {
		if bytes.HasPrefix(head, []byte(p)) {
			return true
		}
	}
	return false
}

func countControl(b []byte) int {
	n := 0
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			n++
		}
	}
	return n
}

// validHead is utf8.Valid for a text that may end within a character.
func validHead(b []byte) bool {
	for range utf8.UTFMax - 1 {
		if utf8.Valid(b) {
			return true
		}
		if len(b) == 0 {
			return true
		}
		b = b[:len(b)-1]
	}
	return utf8.Valid(b)
}

// utf16Name recognises UTF-16 by its mark, or without one by the zero byte that
// every ASCII character has in it.
func utf16Name(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return "utf-16le"
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return "utf-16be"
	}
	var even, odd int
	for i, c := range head {
		if c == 0 && i%2 == 0 {
			even++
		} else if c == 0 {
			odd++
		}
	}
	switch quarter := len(head) / 4; {
	case len(head) >= 8 && odd > quarter && even == 0:
		return "utf-16le"
	case len(head) >= 8 && even > quarter && odd == 0:
		return "utf-16be"
	}
	return ""
}

// decode returns the file as UTF-8 without its mark, and the encoding's name.
// UTF-8 passes unchecked: the guard checks it, where row and byte are known.
func decode(src io.Reader, head []byte, chosen string) (io.Reader, string) {
	name := utf16Name(head)
	if name == "" {
		name = chosen
	}
	var enc encoding.Encoding
	switch name {
	case "utf-16le":
		enc = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
		if !bytes.HasPrefix(head, []byte("\xff\xfe")) {
			enc = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
		}
	case "utf-16be":
		enc = unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
		if !bytes.HasPrefix(head, []byte("\xfe\xff")) {
			enc = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
		}
	case "windows-1256":
		enc = charmap.Windows1256
	case "windows-1252":
		enc = charmap.Windows1252
	default:
		return src, "utf-8"
	}
	return enc.NewDecoder().Reader(src), name
}
