// Package callback owns what we send along with a message and get back in every
// status of it: which message and which attempt, with a proof that it is ours.
//
// The worker writes it, messages reads it. It must not know the database or HTTP.
package callback

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"bareed/internal/id"
)

// Signer proves that callback data is ours; accounts.Vault is one, and a test needs
// no keys.
type Signer interface {
	CallbackMAC(data string) string
	CallbackValid(data, proof string) bool
}

// Data is what we send with a message as biz_opaque_callback_data and get
// back in every status: which message, which attempt. It holds no personal data,
// and its proof keeps another app on the same account from naming our messages.
type Data struct {
	Message id.Message
	Attempt int
}

// Encode writes v1.<run>.<ordinal>.<attempt>.<proof>, 72 characters at most.
func (c Data) Encode(s Signer) string {
	data := c.data()
	return data + "." + s.CallbackMAC(data)
}

func (c Data) data() string {
	return fmt.Sprintf("v1.%s.%d.%d", hex.EncodeToString(c.Message.Run[:]), c.Message.Ordinal, c.Attempt)
}

// Decode reads what Encode wrote. ours is false for anything else:
// another app's data, a wrong proof, nothing.
func Decode(s Signer, text string) (c Data, ours bool) {
	at := strings.LastIndexByte(text, '.')
	if at < 0 || len(text) > 100 {
		return Data{}, false
	}
	part := strings.Split(text[:at], ".")
	if len(part) != 4 || part[0] != "v1" {
		return Data{}, false
	}
	m, err := id.ParseMessage("msg_" + part[1] + "_" + part[2])
	if err != nil {
		return Data{}, false
	}
	attempt, err := strconv.ParseUint(part[3], 10, 15)
	if err != nil {
		return Data{}, false
	}
	c = Data{Message: m, Attempt: int(attempt)}
	return c, c.data() == text[:at] && s.CallbackValid(text[:at], text[at+1:])
}
