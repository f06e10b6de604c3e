package callback_test

import (
	"testing"

	"bareed/internal/id"
	"bareed/messages/callback"
)

func FuzzDecode(f *testing.F) {
	m := id.Message{Run: id.New[id.Run](), Ordinal: 7}
	f.Add(callback.Data{Message: m, Attempt: 2}.Encode(proof{}))
	f.Add("c=17;r=4711;a=1")
	f.Add("v1....")
	f.Fuzz(func(t *testing.T, text string) {
		c, ours := callback.Decode(proof{}, text)
		if ours && c.Encode(proof{}) != text {
			t.Errorf("%q was taken for %q", text, c.Encode(proof{}))
		}
	})
}

// proof stands for the vault's keys in a test that needs none of its own.
type proof struct{}

func (proof) CallbackMAC(string) string      { return "0011223344556677" }
func (proof) CallbackValid(_, p string) bool { return p == "0011223344556677" }
