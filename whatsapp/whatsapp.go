// Package whatsapp is the client of Meta's WhatsApp Cloud API: the dozen Graph
// endpoints a broadcast needs, the answers they give as six outcomes, the error
// table, the webhook payloads and their signature.
//
// The worker is its only caller for sending; the api package uses it to read
// webhooks, sandbox to play the other side. It knows nothing of campaigns,
// workspaces or storage, and never retries: what a message's outcome means for
// its row is decided by the caller.
package whatsapp

import (
	"fmt"
	"io"
	"log/slog"
	"regexp"
)

// masked replaces a secret wherever one could be printed.
const masked = "[masked]"

// Token is an access token of the Graph API. Printing, logging and marshalling
// it give a mask; Raw gives the value.
type Token string

// Raw gives the token itself, for the Authorization header and for sealing.
func (t Token) Raw() string { return string(t) }

// String masks the token.
func (t Token) String() string { return masked }

// Format masks the token under every verb, also the ones that ignore String.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// LogValue masks the token in logs.
func (t Token) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalText masks the token in JSON and other encodings.
func (t Token) MarshalText() ([]byte, error) { return []byte(masked), nil }

// WAMID is Meta's id of a message. It contains the recipient's phone number, so
// it is masked like a secret; hand Raw to the database, never the WAMID itself
// (a driver may store what String gives).
type WAMID string

// Raw gives the id itself.
func (w WAMID) Raw() string { return string(w) }

// String masks the id; an empty one stays empty.
func (w WAMID) String() string {
	if w == "" {
		return ""
	}
	return masked
}

// Format masks the id under every verb.
func (w WAMID) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, w.String()) }

// LogValue masks the id in logs.
func (w WAMID) LogValue() slog.Value { return slog.StringValue(w.String()) }

// MarshalText masks the id in JSON and other encodings.
func (w WAMID) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

var (
	// nodeID is the form of every Graph id we use: WABA, number, portfolio, app, template.
	nodeID = regexp.MustCompile(`^[0-9]{1,32}$`)
	// tokenForm is what fits into a header (RFC 6750 and a little more), up to longestToken.
	tokenForm = regexp.MustCompile(`^[!-~]+$`)
	// e164 is a phone number as Meta must be given it. Without the plus Meta puts
	// the business number's own country code in front and a stranger is messaged.
	e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	// bsuid is a business-scoped user id, plain or of a parent portfolio.
	bsuid = regexp.MustCompile(`^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$`)
)

// longestToken is in bytes. It is no part of tokenForm, which would have a state for
// each of them to compile whenever a program starts.
const longestToken = 1000

// IsBSUID tells a business-scoped user id (country, dot, up to 128 letters and
// digits) from a phone number.
func IsBSUID(s string) bool { return bsuid.MatchString(s) }

// IsE164 says whether s is a plus sign and 7 to 15 digits.
func IsE164(s string) bool { return e164.MatchString(s) }
