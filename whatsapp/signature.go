package whatsapp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// SignatureHeader carries the signature of a webhook.
const SignatureHeader = "X-Hub-Signature-256"

// Sign gives the value of SignatureHeader for a body: HMAC-SHA256 over the raw
// bytes with the app secret, as Meta's webhook page describes it.
func Sign(raw []byte, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(raw)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// VerifySignature says whether header signs exactly these bytes with one of the
// secrets (two during a rotation). An empty secret never matches. Verify before
// parsing: escapes and spacing are part of what is signed.
func VerifySignature(raw []byte, header string, secrets ...string) bool {
	text, ok := strings.CutPrefix(header, "sha256=")
	if !ok {
		return false
	}
	got, err := hex.DecodeString(text)
	if err != nil || len(got) != sha256.Size {
		return false
	}
	match := false
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(raw)
		if hmac.Equal(got, mac.Sum(nil)) {
			match = true
		}
	}
	return match
}
