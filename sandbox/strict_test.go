package sandbox_test

import (
	"fmt"
	"strings"
	"testing"

	"bareed/sandbox"
)

func TestStrictness(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	const head = `"messaging_product":"whatsapp","to":"+15550000001","type":"template"`
	tpl := func(name, lang, components string) string {
		return fmt.Sprintf(`{%s,"template":{"name":%q,"language":{"code":%q},"components":%s}}`, head, name, lang, components)
	}
	body := func(params ...string) string {
		return `{"type":"body","parameters":[` + strings.Join(params, ",") + `]}`
	}
	text := func(s string) string { return fmt.Sprintf(`{"type":"text","text":%q}`, s) }
	named := func(n, s string) string { return fmt.Sprintf(`{"type":"text","parameter_name":%q,"text":%q}`, n, s) }
	const url = `{"type":"button","sub_type":"url","index":"1","parameters":[{"type":"text","text":"spring"}]}`
	spring := func(components ...string) string {
		return tpl("spring_offer", "en_US", "["+strings.Join(components, ",")+"]")
	}
	good := body(text("Mona"), text("10%"))
	const photo = `{"type":"header","parameters":[{"type":"image","image":{"link":"https://x.example/a.jpg"}}]}`
	const coupon = `{"type":"button","sub_type":"copy_code","index":0,"parameters":[{"type":"coupon_code","coupon_code":"SPRING"}]}`
	tests := []struct {
		name string
		body string
		code int // 0 = accepted
	}{
		{"good", spring(good, url), 0},
		{"good with payload", spring(good, url, `{"type":"button","sub_type":"quick_reply","index":"0","parameters":[{"type":"payload","payload":"STOP"}]}`), 0},
		{"good named, any order", tpl("named", "ar", `[`+body(named("customer", "Mona"), named("order_id", "17"))+`]`), 0},
		{"good photo", tpl("photo", "en_US", `[`+photo+`,`+coupon+`]`), 0},
		{"not JSON", `{`, 100},
		{"an array", `[]`, 100},
		{"trailing text", `{` + head + `,"template":{"name":"plain","language":{"code":"en_US"}}} x`, 100},
		{"unknown field", `{` + head + `,"template":{"name":"plain","language":{"code":"en_US"}},"extra":1}`, 100},
		{"misspelled inner field", `{` + head + `,"template":{"nam":"plain","language":{"code":"en_US"}}}`, 100},
		{"no messaging_product", `{"to":"+15550000001","type":"text","text":{"body":"x"}}`, 100},
		{"no recipient", `{"messaging_product":"whatsapp","type":"text","text":{"body":"x"}}`, 100},
		{"no type", `{"messaging_product":"whatsapp","to":"+15550000001"}`, 100},
		{"no plus", `{"messaging_product":"whatsapp","to":"15550000001","type":"text","text":{"body":"x"}}`, 131009},
		{"letters", `{"messaging_product":"whatsapp","to":"+1555abc","type":"text","text":{"body":"x"}}`, 131009},
		{"bad user id", `{"messaging_product":"whatsapp","recipient":"15550000001","type":"text","text":{"body":"x"}}`, 131009},
		{"to a group", `{"messaging_product":"whatsapp","recipient_type":"group","to":"+15550000001","type":"text","text":{"body":"x"}}`, 100},
		{"to itself", `{"messaging_product":"whatsapp","to":"+15550100101","type":"template","template":{"name":"plain","language":{"code":"en_US"}}}`, 131021},
		{"unknown type", `{"messaging_product":"whatsapp","to":"+15550000001","type":"poll"}`, 131051},
		{"no template", `{` + head + `}`, 131008},
		{"no language", `{` + head + `,"template":{"name":"plain"}}`, 131008},
		{"text without body", `{"messaging_product":"whatsapp","to":"+15550000001","type":"text","text":{}}`, 131008},
		{"text too long", `{"messaging_product":"whatsapp","to":"+15550000001","type":"text","text":{"body":"` + strings.Repeat("a", 4097) + `"}}`, 100},
		{"callback too long", `{` + head + `,"biz_opaque_callback_data":"` + strings.Repeat("a", 513) + `","template":{"name":"plain","language":{"code":"en_US"}}}`, 100},
		{"no such template", tpl("nothing", "en_US", "[]"), 132001},
		{"wrong language", tpl("plain", "en", "[]"), 132001},
		{"not approved", tpl("pending", "en_US", "[]"), 132001},
		{"paused", tpl("paused", "en_US", "[]"), 132015},
		{"disabled", tpl("disabled", "en_US", "[]"), 132016},
		{"no parameters", spring(url), 132000},
		{"one parameter of two", spring(body(text("Mona")), url), 132000},
		{"three of two", spring(body(text("a"), text("b"), text("c")), url), 132000},
		{"parameters for none", tpl("plain", "en_US", "["+good+"]"), 132000},
		{"header text for none", spring(good, url, `{"type":"header","parameters":[{"type":"text","text":"x"}]}`), 132000},
		{"named for positional", spring(body(named("a", "x"), named("b", "y")), url), 132012},
		{"positional for named", tpl("named", "ar", "["+good+"]"), 132012},
		{"wrong names", tpl("named", "ar", "["+body(named("order_id", "1"), named("client", "x"))+"]"), 132012},
		{"image in the body", spring(body(text("x"), `{"type":"image","image":{"id":"1"}}`), url), 132012},
		{"new line", spring(body(text("a\nb"), text("x")), url), 132018},
		{"tab", spring(body(text("a\tb"), text("x")), url), 132018},
		{"four spaces", spring(body(text("a    b"), text("x")), url), 132018},
		{"three spaces", spring(body(text("a   b"), text("x")), url), 0},
		{"empty parameter", spring(body(text(""), text("x")), url), 131008},
		{"parameter without text", spring(body(`{"type":"text"}`, text("x")), url), 131008},
		{"too long when filled", spring(body(text(strings.Repeat("a", 1010)), text("x")), url), 132005},
		{"button parameter missing", spring(good), 131008},
		{"button of another kind", spring(good, strings.Replace(url, `"url"`, `"copy_code"`, 1)), 132012},
		{"button index out of range", spring(good, strings.Replace(url, `"1"`, `"5"`, 1)), 132000},
		{"button without index", spring(good, strings.Replace(url, `"index":"1",`, ``, 1)), 132000},
		{"component twice", spring(good, good, url), 100},
		{"footer component", spring(good, url, `{"type":"footer"}`), 100},
		{"photo without photo", tpl("photo", "en_US", "["+coupon+"]"), 132012},
		{"photo as a video", tpl("photo", "en_US", "["+strings.ReplaceAll(photo, "image", "video")+","+coupon+"]"), 132012},
		{"photo without id or link", tpl("photo", "en_US", `[{"type":"header","parameters":[{"type":"image","image":{}}]},`+coupon+`]`), 131008},
	}
	accepted := int64(0)
	for _, tc := range tests {
		status, code, details := m.post(t, tc.body)
		if code != tc.code || (status == 200) != (tc.code == 0) {
			t.Errorf("%s: HTTP %d code %d (%s), want %d", tc.name, status, code, details, tc.code)
		}
		if tc.code == 0 {
			accepted++
		}
	}
	if s := m.Summary(); s.Requests != int64(len(tests)) || s.Accepted != accepted {
		t.Errorf("journal has %d requests, %d accepted", s.Requests, s.Accepted)
	}
}

func TestGates(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	if err := m.Apply(sandbox.Seed{Numbers: []sandbox.Number{{ID: "55", WABAID: waba, DisplayPhone: "+15550100102", Status: "PENDING"}}}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		token, number string
		code          int
	}{
		{"tok-revoked", pnid, 190}, {"tok-nobody", pnid, 190}, {"tok-read", pnid, 10}, {"tok-other", pnid, 200}, {token.Raw(), "404404", 33}, {token.Raw(), "55", 133010},
	} {
		r := m.sendAs(t, tc.token, tc.number)
		if r.Code != tc.code || r.Outcome != "stop" || r.FBTraceID == "" {
			t.Errorf("%s %s: %+v", tc.token, tc.number, r)
		}
	}
	if err := m.SendEvent(sandbox.RawEvent{WABAID: waba, Value: map[string]any{"event": "DISABLED_UPDATE", "ban_info": map[string]any{"waba_ban_state": "DISABLE"}}}); err != nil {
		t.Fatal(err)
	}
	if r := m.sendAs(t, token.Raw(), pnid); r.Code != 131031 {
		t.Errorf("banned: %+v", r)
	}
}
