package messages

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"bareed/internal/id"
)

// signer proves that callback data is ours; accounts.Vault is one.
type signer interface {
	CallbackMAC(data string) string
	CallbackValid(data, proof string) bool
}

// Callback is what we send with a message as biz_opaque_callback_data and get
// back in every status: which message, which attempt. It holds no personal data,
// and its proof keeps another app on the same account from naming our messages.
type Callback struct {
	Message id.Message
	Attempt int
}

// Encode writes v1.<run>.<ordinal>.<attempt>.<proof>, 72 characters at most.
func (c Callback) Encode(s signer) string {
	data := c.data()
	return data + "." + s.CallbackMAC(data)
}

func (c Callback) data() string {
	return fmt.Sprintf("v1.%s.%d.%d", hex.EncodeToString(c.Message.Run[:]), c.Message.Ordinal, c.Attempt)
}

// DecodeCallback reads what Encode wrote. ours is false for anything else:
// another app's data, a wrong proof, nothing.
func DecodeCallback(s signer, text string) (c Callback, ours bool) {
	at := strings.LastIndexByte(text, '.')
	if at < 0 || len(text) > 100 {
		return Callback{}, false
	}
	part := strings.Split(text[:at], ".")
	if len(part) != 4 || part[0] != "v1" {
		return Callback{}, false
	}
	m, err := id.ParseMessage("msg_" + part[1] + "_" + part[2])
	if err != nil {
		return Callback{}, false
	}
	attempt, err := strconv.ParseUint(part[3], 10, 15)
	if err != nil {
		return Callback{}, false
	}
	c = Callback{Message: m, Attempt: int(attempt)}
	return c, c.data() == text[:at] && s.CallbackValid(text[:at], text[at+1:])
}
