package whatsapp_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"bareed/whatsapp"
)

// keep stores an envelope and reads it back.
func keep(t *testing.T, env whatsapp.Envelope, change func(whatsapp.StoredChange) whatsapp.StoredChange) whatsapp.Stored {
	t.Helper()
	var s whatsapp.Stored
	for _, c := range env.Changes {
		s.Changes = append(s.Changes, change(whatsapp.Store(c)))
	}
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	back, err := whatsapp.DecodeStored(raw)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// TestStored: what is kept of every webhook file says the same when it is read.
func TestStored(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/webhooks/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		env, err := whatsapp.ParseWebhook(b)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		back := keep(t, env, func(c whatsapp.StoredChange) whatsapp.StoredChange { return c }).All()
		if len(back) != len(env.Changes) {
			t.Fatalf("%s: %d changes, want %d", path, len(back), len(env.Changes))
		}
		for i, c := range env.Changes {
			if back[i].Field != c.Field || back[i].EntryID != c.EntryID || !back[i].EntryTime.Equal(c.EntryTime) || reflect.TypeOf(back[i].Value) != reflect.TypeOf(c.Value) {
				t.Errorf("%s: change %d is %+v, want %+v", path, i, back[i], c)
			}
		}
	}
	if _, err := whatsapp.DecodeStored([]byte(`[`)); err == nil {
		t.Error("half a document was read")
	}
}

// TestWithoutContent: who wrote and when stays, what was written goes; statuses
// stay whole.
func TestWithoutContent(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/webhooks/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		env, err := whatsapp.ParseWebhook(b)
		if err != nil {
			t.Fatal(err)
		}
		back := keep(t, env, whatsapp.WithoutContent)
		for i, m := range back.Messages() {
			var was []whatsapp.Messages
			for _, c := range env.Changes {
				if v, ok := c.Value.(whatsapp.Messages); ok {
					was = append(was, v)
				}
			}
			if len(m.Inbound) != len(was[i].Inbound) || len(m.Statuses) != len(was[i].Statuses) || m.PhoneNumberID != was[i].PhoneNumberID {
				t.Fatalf("%s: %+v, want %+v", path, m, was[i])
			}
			for j, in := range m.Inbound {
				old := was[i].Inbound[j]
				if in.ID != old.ID || in.From != old.From || in.FromUserID != old.FromUserID || !in.At.Equal(old.At) || in.Type != old.Type || in.ContextID != old.ContextID {
					t.Errorf("%s: %+v, want %+v", path, in, old)
				}
				if in.Text+in.ButtonText+in.ButtonPayload+in.ReplyTitle+in.Emoji != "" {
					t.Errorf("%s: content stayed", path)
				}
			}
		}
		if strings.HasPrefix(filepath.Base(path), "inbound_") {
			raw, _ := json.Marshal(back) // was read from JSON
			for _, word := range []string{"Sample Person", "hello", "STOP", "promotions", "info?", "flow_token", "example.invalid/ad", "number changed"} {
				if bytes.Contains(raw, []byte(word)) {
					t.Errorf("%s: %q is kept", path, word)
				}
			}
		}
	}
}

func FuzzWithoutContent(f *testing.F) {
	f.Add([]byte(`{"messages":[{"id":"1","text":{"body":"x"}}],"contacts":[{}]}`))
	f.Add([]byte(`{"messages":5,"contacts":null}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		c := whatsapp.WithoutContent(whatsapp.StoredChange{Field: "messages", Value: value})
		if json.Valid(value) && !json.Valid(c.Value) {
			t.Fatalf("%q became %q", value, c.Value)
		}
	})
}

func TestAbout(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change   whatsapp.Change
		phone    string
		accounts string
	}{
		{whatsapp.Change{EntryID: "1", Value: whatsapp.Messages{PhoneNumberID: "7"}}, "7", ""},
		{whatsapp.Change{EntryID: "1", Value: whatsapp.UserPreferences{PhoneNumberID: "7"}}, "7", ""},
		{whatsapp.Change{EntryID: "1", Value: whatsapp.TemplateStatus{}}, "", "1"},
		{whatsapp.Change{EntryID: "9", Value: whatsapp.AccountUpdate{Event: "PARTNER_REMOVED", WABAID: "2", PortfolioID: "9"}}, "", "2 9"},
		{whatsapp.Change{EntryID: "9", Value: whatsapp.AccountUpdate{Event: "PARTNER_REMOVED", PortfolioID: "9"}}, "", "9 9"},
		{whatsapp.Change{EntryID: "1", Value: whatsapp.AccountAlert{EntityType: "BUSINESS", EntityID: "9"}}, "", "9 1"},
		{whatsapp.Change{EntryID: "1", Value: whatsapp.UnknownChange{}}, "", "1"},
	} {
		phone, accounts := c.change.About()
		if phone != c.phone || strings.Join(accounts, " ") != c.accounts {
			t.Errorf("%+v: %q %v", c.change, phone, accounts)
		}
	}
}
