package strict_test

import (
	"encoding/json"
	"testing"

	"bareed/sandbox/strict"
)

// Whatever a program sends, the judge must answer and not fall over.
func FuzzRequest(f *testing.F) {
	t, err := strict.ParseTemplate(json.RawMessage(`[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"Hi {{1}} and {{2}}"},{"type":"BUTTONS","buttons":[{"type":"URL","url":"https://x.example/{{1}}"},{"type":"COPY_CODE"}]}]`), "POSITIONAL")
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"messaging_product":"whatsapp","to":"+15550000001","type":"template","template":{"name":"x","language":{"code":"ar"},"components":[{"type":"header","parameters":[{"type":"image","image":{"id":"1"}}]},{"type":"body","parameters":[{"type":"text","text":"a"},{"type":"currency","currency":{"fallback_value":"1"}}]},{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"x"}]}]}}`))
	f.Add([]byte(`{"template":{"components":[{"type":"button","index":"-1"},{"type":"body","parameters":[{}]}]}}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(tt *testing.T, body []byte) {
		var in strict.Request
		_ = json.Unmarshal(body, &in)
		if ref := in.Check(body); ref != nil && (ref.Code == 0 || ref.HTTPStatus() < 400) {
			tt.Errorf("refused with %+v", ref)
		}
		if in.Template != nil {
			t.CheckFill(in.Template)
		}
	})
}
