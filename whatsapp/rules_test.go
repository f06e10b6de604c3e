package whatsapp_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"

	"bareed/whatsapp"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestParseTier(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		limit         int
		unlimited, ok bool
	}{
		"TIER_50": {50, false, true}, "TIER_250": {250, false, true}, "TIER_1K": {1000, false, true}, "TIER_2K": {2000, false, true},
		"TIER_10K": {10000, false, true}, "TIER_100K": {100000, false, true}, "TIER_UNLIMITED": {0, true, true}, "UNTIERED": {250, false, true},
		"TIER_NOT_SET": {250, false, true}, "tier_2k": {2000, false, true}, "": {}, "TIER_": {}, "TIER_K": {}, "TIER_-1": {}, "TIER_2M": {},
		"TIER_99999999999": {}, "TIER_02K": {}, "2K": {},
	}
	for name, want := range tests {
		limit, unlimited, ok := whatsapp.ParseTier(name)
		if limit != want.limit || unlimited != want.unlimited || ok != want.ok {
			t.Errorf("%s: %d %v %v", name, limit, unlimited, ok)
		}
	}
}

func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/signature-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Secret  string `json:"app_secret"`
		Vectors []struct{ File, Body, Value string }
	}
	if err := json.Unmarshal(raw, &doc); err != nil || len(doc.Vectors) < 7 {
		t.Fatalf("%d vectors, %v", len(doc.Vectors), err)
	}
	for _, v := range doc.Vectors {
		body := []byte(v.Body)
		if v.File != "" {
			if body, err = os.ReadFile("testdata/" + v.File); err != nil {
				t.Fatal(err)
			}
		}
		if whatsapp.Sign(body, doc.Secret) != v.Value || !whatsapp.VerifySignature(body, v.Value, "other", doc.Secret) {
			t.Errorf("%s%.20s: does not hold", v.File, v.Body)
		}
		if whatsapp.VerifySignature(append(body, ' '), v.Value, doc.Secret) {
			t.Errorf("%s: holds for other bytes", v.File)
		}
	}
}

func TestVerifySignatureRefuses(t *testing.T) {
	t.Parallel()
	body := []byte(`{}`)
	good := whatsapp.Sign(body, "s")
	for _, header := range []string{"", "sha256=", good[7:], "sha1=" + good[7:], good[:len(good)-2], good + "00", "sha256=zz" + good[9:], "SHA256=" + good[7:], " " + good} {
		if whatsapp.VerifySignature(body, header, "s") {
			t.Errorf("%q holds", header)
		}
	}
	if whatsapp.VerifySignature(body, good) || whatsapp.VerifySignature(body, whatsapp.Sign(body, ""), "") || whatsapp.VerifySignature(body, good, "t") {
		t.Error("no secret, an empty or a wrong one holds")
	}
	if !whatsapp.VerifySignature(body, "sha256="+strings.ToUpper(good[7:]), "s") {
		t.Error("upper-case hex does not hold")
	}
}

func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	token, wamid := whatsapp.Token("tok-secret"), whatsapp.WAMID("wamid.secret")
	var out strings.Builder
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("x", "token", token, "wamid", wamid, "both", struct {
		T whatsapp.Token
		W whatsapp.WAMID
	}{token, wamid})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb, token, wamid)
	}
	raw, err := json.Marshal(map[string]any{"t": token, "w": wamid})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(raw)
	if strings.Contains(out.String(), "secret") || strings.Contains(out.String(), "736563726574") {
		t.Errorf("leaks: %s", out.String())
	}
	if token.Raw() != "tok-secret" || wamid.Raw() != "wamid.secret" || whatsapp.WAMID("").String() != "" {
		t.Error("raw value")
	}
}

func TestRecipientForms(t *testing.T) {
	t.Parallel()
	for s, want := range map[string][2]bool{
		"+15550107777": {true, false}, "15550107777": {}, "+0123456789": {}, "+123456": {}, "+1234567890123456": {}, "+1 555 0107777": {},
		"US.13491": {false, true}, "US.ENT.1aB": {false, true}, "us.1": {}, "USA.1": {}, "US.": {}, "US.1_2": {}, "": {},
	} {
		if whatsapp.IsE164(s) != want[0] || whatsapp.IsBSUID(s) != want[1] {
			t.Errorf("%q", s)
		}
	}
}
