package ui

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
)

// Flash is a message for the next page: what a form did. Kind is done, info,
// warning or danger; Key and Params are a text of the catalogue.
type Flash struct {
	Kind   string `json:"k"`
	Key    string `json:"t"`
	Params []any  `json:"p,omitempty"`
}

// Proof signs a text for one use; the same text and use give the same bytes.
type Proof func(use, text string) []byte

const flashUse = "web.flash"

// Encode writes the flash for a cookie.
func (f Flash) Encode(proof Proof) (string, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(proof(flashUse, string(b)), b...)), nil
}

// DecodeFlash reads a cookie; false for one that we did not write.
func DecodeFlash(proof Proof, s string) (Flash, bool) {
	var f Flash
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) <= 16 || !hmac.Equal(b[:16], proof(flashUse, string(b[16:]))) {
		return f, false
	}
	if json.Unmarshal(b[16:], &f) != nil {
		return f, false
	}
	for i, p := range f.Params { // JSON has one kind of number
		if n, ok := p.(float64); ok && n == float64(int64(n)) {
			f.Params[i] = int64(n)
		}
	}
	return f, true
}
