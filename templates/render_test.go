package templates_test

import (
	"encoding/json"
	"strings"
	"testing"

	"bareed/internal/errs"
	"bareed/templates"
)

func template(format, category, components string) templates.Template {
	return templates.Template{Name: "offer", Language: "ar", Status: "APPROVED", Category: category,
		ParameterFormat: format, Components: json.RawMessage(components)}
}

// rendered gives the components Meta is sent, as JSON.
func rendered(t *testing.T, tpl templates.Template, v templates.Values) string {
	t.Helper()
	m, err := templates.Render(tpl, v)
	if err != nil {
		t.Fatalf("render: %v", err)
	}
	b, err := json.Marshal(m.Components)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRender(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, format, category, components string
		values                             templates.Values
		keys                               string // required parameters
		want                               string
	}{
		{"nothing to fill", "POSITIONAL", "MARKETING", `[{"type":"BODY","text":"Hi"},{"type":"FOOTER","text":"{{1}}"}]`, nil, "", `null`},
		{"numbered, in order, one twice", "POSITIONAL", "MARKETING", `[{"type":"body","text":"{{2}} and {{1}}, {{ 2 }}!"}]`,
			templates.Values{"body.1": "a", "body.2": "b"}, "body.1 body.2",
			`[{"type":"body","parameters":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]`},
		{"ten numbers sort as numbers", "POSITIONAL", "MARKETING", `[{"type":"BODY","text":"{{10}} {{9}}"}]`,
			templates.Values{"body.10": "x", "body.9": "y"}, "body.9 body.10",
			`[{"type":"body","parameters":[{"type":"text","text":"y"},{"type":"text","text":"x"}]}]`},
		{"named", "NAMED", "UTILITY", `[{"type":"HEADER","format":"TEXT","text":"Dear {{title}}"},{"type":"BODY","text":"{{first_name}}, {{city}}"}]`,
			templates.Values{"header": "Dr", "body.first_name": "ليلى", "body.city": "جدة"}, "header body.first_name body.city",
			`[{"type":"header","parameters":[{"type":"text","parameter_name":"title","text":"Dr"}]},{"type":"body","parameters":[{"type":"text","parameter_name":"first_name","text":"ليلى"},{"type":"text","parameter_name":"city","text":"جدة"}]}]`},
		{"image by link", "POSITIONAL", "MARKETING", `[{"type":"HEADER","format":"IMAGE"}]`, templates.Values{"header": "https://cdn.example/a.jpg"}, "header",
			`[{"type":"header","parameters":[{"type":"image","image":{"link":"https://cdn.example/a.jpg"}}]}]`},
		{"document by id with a name", "POSITIONAL", "MARKETING", `[{"type":"HEADER","format":"DOCUMENT"}]`,
			templates.Values{"header": "123456", "header.filename": "offer.pdf"}, "header",
			`[{"type":"header","parameters":[{"type":"document","document":{"id":"123456","filename":"offer.pdf"}}]}]`},
		{"location", "POSITIONAL", "MARKETING", `[{"type":"HEADER","format":"LOCATION"}]`,
			templates.Values{"header": "24.7, 46.6, Shop, King Road, Riyadh"}, "header",
			`[{"type":"header","parameters":[{"type":"location","location":{"latitude":24.7,"longitude":46.6,"name":"Shop","address":"King Road, Riyadh"}}]}]`},
		{"buttons", "POSITIONAL", "MARKETING", `[{"type":"BODY","text":"Hi"},{"type":"BUTTONS","buttons":[
			{"type":"QUICK_REPLY","text":"Stop"},{"type":"URL","text":"Open","url":"https://x.example/{{1}}"},
			{"type":"URL","text":"Home","url":"https://x.example/"},{"type":"COPY_CODE","text":"Copy"},{"type":"PHONE_NUMBER","text":"Call","phone_number":"+1"}]}]`,
			templates.Values{"button.1": "o/7", "button.3": "SAVE20"}, "button.1 button.3",
			`[{"type":"button","sub_type":"url","index":"1","parameters":[{"type":"text","text":"o/7"}]},{"type":"button","sub_type":"copy_code","index":"3","parameters":[{"type":"coupon_code","coupon_code":"SAVE20"}]}]`},
		{"quick reply with payload", "POSITIONAL", "MARKETING", `[{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Stop"}]}]`,
			templates.Values{"button.0": "STOP"}, "", `[{"type":"button","sub_type":"quick_reply","index":"0","parameters":[{"type":"payload","payload":"STOP"}]}]`},
		{"one-time code", "POSITIONAL", "AUTHENTICATION", `[{"type":"BODY","text":"*{{1}}* is your code."},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"COPY_CODE","text":"Copy"}]}]`,
			templates.Values{"body.1": "123456"}, "body.1",
			`[{"type":"body","parameters":[{"type":"text","text":"123456"}]},{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"123456"}]}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tpl := template(c.format, c.category, c.components)
			var keys []string
			for _, p := range templates.Parameters(tpl) {
				if p.Required {
					keys = append(keys, p.Key())
				}
			}
			if got := strings.Join(keys, " "); got != c.keys {
				t.Errorf("parameters %q, want %q", got, c.keys)
			}
			if got := rendered(t, tpl, c.values); got != c.want {
				t.Errorf("rendered\n%s, want\n%s", got, c.want)
			}
		})
	}
}

func TestRenderRefuses(t *testing.T) {
	t.Parallel()
	body := `[{"type":"BODY","text":"Hello {{1}}."}]`
	long := `[{"type":"BODY","text":"` + strings.Repeat("x", 1000) + `{{1}}"}]`
	link := `[{"type":"BUTTONS","buttons":[{"type":"URL","text":"Open","url":"https://x.example/{{1}}"}]}]`
	image := `[{"type":"HEADER","format":"IMAGE"}]`
	for _, c := range []struct {
		name, components string
		values           templates.Values
		code             string
	}{
		{"missing", body, nil, "template.params"},
		{"blank", body, templates.Values{"body.1": "  "}, "template.params"},
		{"missing header media", image, nil, "template.params"},
		{"line break", body, templates.Values{"body.1": "a\nb"}, "attr.not_sendable"},
		{"carriage return", body, templates.Values{"body.1": "a\rb"}, "attr.not_sendable"},
		{"tab", body, templates.Values{"body.1": "a\tb"}, "attr.not_sendable"},
		{"five spaces", body, templates.Values{"body.1": "a     b"}, "attr.not_sendable"},
		{"control", body, templates.Values{"body.1": "a\x00b"}, "attr.not_sendable"},
		{"not UTF-8", body, templates.Values{"body.1": "a\xffb"}, "attr.not_sendable"},
		{"finished text too long", long, templates.Values{"body.1": strings.Repeat("y", 25)}, "attr.not_sendable"},
		{"header too long", `[{"type":"HEADER","format":"TEXT","text":"Dear {{1}}"}]`, templates.Values{"header": strings.Repeat("y", 56)}, "attr.not_sendable"},
		{"blank in a link", link, templates.Values{"button.0": "a b"}, "attr.not_sendable"},
		{"link too long", link, templates.Values{"button.0": strings.Repeat("a", 1990)}, "attr.not_sendable"},
		{"coupon too long", `[{"type":"BUTTONS","buttons":[{"type":"COPY_CODE"}]}]`, templates.Values{"button.0": strings.Repeat("a", 21)}, "attr.not_sendable"},
		{"media over http", image, templates.Values{"header": "http://cdn.example/a.jpg"}, "attr.not_sendable"},
		{"media with a login", image, templates.Values{"header": "https://a:b@cdn.example/a.jpg"}, "attr.not_sendable"},
		{"place off the earth", `[{"type":"HEADER","format":"LOCATION"}]`, templates.Values{"header": "91,0"}, "attr.not_sendable"},
		{"place that is no number", `[{"type":"HEADER","format":"LOCATION"}]`, templates.Values{"header": "NaN,0"}, "attr.not_sendable"},
		{"carousel", `[{"type":"BODY","text":"x"},{"type":"CAROUSEL","cards":[]}]`, nil, "template.unsupported"},
		{"flow", `[{"type":"BUTTONS","buttons":[{"type":"FLOW","text":"Go"}]}]`, nil, "template.unsupported"},
		{"no components", `{"a":1}`, nil, "template.unsupported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := templates.Render(template("POSITIONAL", "MARKETING", c.components), c.values); !errs.Is(err, c.code) {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
	for _, fine := range []string{"a    b", "يا ليلى", "👩‍👩‍👧", "1\u00a02", strings.Repeat("y", 1000)} {
		if _, err := templates.Render(template("POSITIONAL", "MARKETING", body), templates.Values{"body.1": fine}); err != nil {
			t.Errorf("%.20q: %v", fine, err)
		}
	}
}

func TestCanSend(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"REJECTED", "PAUSED", "DISABLED", "PENDING", "NOT_LISTED", "FLAGGED", ""} {
		tpl := template("POSITIONAL", "MARKETING", `[{"type":"BODY","text":"x"}]`)
		tpl.Status = status
		e, ok := errs.As(tpl.CanSend())
		if !ok || e.Code != "template.not_sendable" || e.Params["status"] != status {
			t.Errorf("%s: %v", status, e)
		}
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	base := `[{"type":"HEADER","format":"IMAGE","example":{"header_handle":["https://cdn/a?sig=1"]}},{"type":"BODY","text":"Hi {{1}}"}]`
	same := `[ {"format":"IMAGE", "example":{"header_handle":["https://cdn/a?sig=2"]}, "type":"HEADER"}, {"text":"Hi {{1}}","type":"BODY"} ]`
	other := `[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"Hi, {{1}}"}]`
	hash := func(s string) string { return string(templates.Hash(json.RawMessage(s))) }
	if hash(base) != hash(same) {
		t.Error("another order of keys or another example is another hash")
	}
	if hash(base) == hash(other) {
		t.Error("another text has the same hash")
	}
	if len(hash(`not JSON`)) != 32 {
		t.Error("no hash of what is not JSON")
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	tpl := template("POSITIONAL", "MARKETING", `[{"type":"HEADER","format":"TEXT","text":"For {{1}}","example":{"header_text":["you"]}},
		{"type":"BODY","text":"Hi {{1}}, code {{2}}.","example":{"body_text":[["Layla","X1"]]}},{"type":"FOOTER","text":"Acme"},
		{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Stop"}]}]`)
	p := templates.Show(tpl, templates.Examples(tpl))
	if p.Header != "For you" || p.Body != "Hi Layla, code X1." || p.Footer != "Acme" || len(p.Buttons) != 1 {
		t.Errorf("preview %+v", p)
	}
	if p := templates.Show(tpl, nil); p.Body != "Hi {{1}}, code {{2}}." {
		t.Errorf("without values %q", p.Body)
	}
	// A value that looks like a variable is not replaced again.
	if p := templates.Show(tpl, templates.Values{"body.1": "{{2}}", "body.2": "b"}); p.Body != "Hi {{2}}, code b." {
		t.Errorf("nested %q", p.Body)
	}
}

func FuzzRender(f *testing.F) {
	f.Add(`[{"type":"BODY","text":"{{1}}"}]`, "x", false)
	f.Add(`[{"type":"HEADER","format":"LOCATION"},{"type":"BUTTONS","buttons":[{"type":"URL","url":"{{1}}"}]}]`, "1,2", true)
	f.Fuzz(func(t *testing.T, components, value string, named bool) {
		format := map[bool]string{true: "NAMED", false: "POSITIONAL"}[named]
		tpl := template(format, "MARKETING", components)
		v := templates.Values{}
		for _, p := range templates.Parameters(tpl) {
			v[p.Key()] = value
		}
		templates.Show(tpl, v)
		m, err := templates.Render(tpl, v)
		if err != nil {
			if _, ok := errs.As(err); !ok {
				t.Fatalf("an error nobody can read: %v", err)
			}
			return
		}
		for _, c := range m.Components {
			for _, p := range c.Parameters {
				if p.Type == "text" && templates.Sendable(p.Text) != "" {
					t.Fatalf("%q was let through", p.Text)
				}
			}
		}
	})
}
