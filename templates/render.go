package templates

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"bareed/internal/errs"
	"bareed/whatsapp"
)

// Values fills a template's parameters by their Key, for one person.
type Values map[string]string

// Render makes the message that Meta is given; the recipient and the callback
// data are left to the caller. It is strict, because Meta refuses the whole
// message for one bad value: template.params for a required value that is
// missing, attr.not_sendable for a value that cannot be sent (line breaks,
// tabs, five spaces in a row, too long), template.unsupported for a template
// that we cannot fill.
func Render(t Template, v Values) (whatsapp.TemplateMessage, error) {
	return Prepare(t).Render(v)
}

// Prepared is a template read once, to be filled for many people. It is safe
// for concurrent use.
type Prepared struct {
	name, language string
	shape          shape
}

// Prepare reads a template's components.
func Prepare(t Template) Prepared {
	return Prepared{name: t.Name, language: t.Language, shape: read(t)}
}

// Render fills the template for one person, as the function of that name does.
func (p Prepared) Render(v Values) (whatsapp.TemplateMessage, error) {
	m := whatsapp.TemplateMessage{Name: p.name, Language: p.language}
	s := &p.shape
	if len(s.unsupported) > 0 {
		return m, errs.New("template.unsupported", "part", s.unsupported[0])
	}
	for _, fill := range []func(Values) ([]whatsapp.Component, error){s.fillHeader, s.fillBody, s.fillButtons} {
		c, err := fill(v)
		if err != nil {
			return m, err
		}
		m.Components = append(m.Components, c...)
	}
	return m, nil
}

func (s *shape) fillHeader(v Values) ([]whatsapp.Component, error) {
	list := s.headerParameters()
	if len(list) == 0 {
		return nil, nil
	}
	value, err := need(list[0], v)
	if err != nil {
		return nil, err
	}
	p := whatsapp.Parameter{Type: list[0].Kind}
	switch list[0].Kind {
	case Text:
		if n := length(s.header, map[string]string{list[0].Name: value}); n > maxHeader {
			return nil, notSendable(list[0], "too_long")
		}
		p.Text = value
		if s.named {
			p.Name = list[0].Name
		}
	case Location:
		if p.Location, err = location(list[0], value); err != nil {
			return nil, err
		}
	default:
		if err := s.fillMedia(&p, list[0], value, v[FileKey]); err != nil {
			return nil, err
		}
	}
	return []whatsapp.Component{{Type: Header, Parameters: []whatsapp.Parameter{p}}}, nil
}

var mediaID = regexp.MustCompile(`^[0-9]{1,32}$`)

func (s *shape) fillMedia(p *whatsapp.Parameter, def Parameter, value, file string) error {
	m := &whatsapp.Media{}
	if mediaID.MatchString(value) {
		m.ID = value
	} else {
		u, err := url.Parse(value)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(value) > maxLink {
			return notSendable(def, "link")
		}
		m.Link = value
	}
	switch def.Kind {
	case Image:
		p.Image = m
	case Video:
		p.Video = m
	default:
		if strings.ContainsAny(file, "/\\\r\n\t") || utf8.RuneCountInString(file) > 240 {
			return notSendable(def, "filename")
		}
		m.Filename = file
		p.Document = m
	}
	return nil
}

// location reads "latitude,longitude,name,address"; name and address may be
// missing and the address may contain commas.
func location(def Parameter, value string) (*whatsapp.Location, error) {
	part := strings.SplitN(value, ",", 4)
	if len(part) < 2 {
		return nil, notSendable(def, "location")
	}
	lat, err1 := strconv.ParseFloat(strings.TrimSpace(part[0]), 64)
	lon, err2 := strconv.ParseFloat(strings.TrimSpace(part[1]), 64)
	if err1 != nil || err2 != nil || !(lat >= -90 && lat <= 90) || !(lon >= -180 && lon <= 180) {
		return nil, notSendable(def, "location")
	}
	l := &whatsapp.Location{Latitude: lat, Longitude: lon}
	if len(part) > 2 {
		l.Name = strings.TrimSpace(part[2])
	}
	if len(part) > 3 {
		l.Address = strings.TrimSpace(part[3])
	}
	return l, nil
}

func (s *shape) fillBody(v Values) ([]whatsapp.Component, error) {
	if len(s.bodyNames) == 0 {
		return nil, nil
	}
	c := whatsapp.Component{Type: Body}
	values := make(map[string]string, len(s.bodyNames))
	for _, name := range s.bodyNames {
		def := Parameter{Component: Body, Name: name, Kind: Text, Required: true, Max: maxBody}
		value, err := need(def, v)
		if err != nil {
			return nil, err
		}
		p := whatsapp.Parameter{Type: Text, Text: value}
		if s.named {
			p.Name = name
		}
		values[name] = value
		c.Parameters = append(c.Parameters, p)
	}
	if length(s.body, values) > maxBody {
		return nil, errs.New("attr.not_sendable", "parameter", "body", "why", "too_long")
	}
	return []whatsapp.Component{c}, nil
}

func (s *shape) fillButtons(v Values) ([]whatsapp.Component, error) {
	var list []whatsapp.Component
	for i, b := range s.buttons {
		c := whatsapp.Component{Type: Button, Index: strconv.Itoa(i)}
		p, ok, err := s.fillButton(&c, i, b, v)
		if err != nil {
			return nil, err
		}
		if ok {
			c.Parameters = []whatsapp.Parameter{p}
			list = append(list, c)
		}
	}
	return list, nil
}

// fillButton fills one button; ok is false when it needs nothing.
func (s *shape) fillButton(c *whatsapp.Component, i int, b button, v Values) (p whatsapp.Parameter, ok bool, err error) {
	if s.otp && (b.Type == "OTP" || b.Type == "URL") && len(s.bodyNames) > 0 {
		c.SubType = "url" // Meta's form for every one-time code button, also "copy code"
		return whatsapp.Parameter{Type: Text, Text: v["body."+s.bodyNames[0]]}, true, nil
	}
	def, listed := s.buttonParameter(i, b)
	if !listed || !def.Required && v[def.Key()] == "" {
		return p, false, nil
	}
	value, err := need(def, v)
	if err != nil {
		return p, false, err
	}
	switch def.Kind {
	case Payload:
		c.SubType, p = "quick_reply", whatsapp.Parameter{Type: Payload, Payload: value}
	case Coupon:
		c.SubType, p = "copy_code", whatsapp.Parameter{Type: Coupon, CouponCode: value}
	default:
		if strings.ContainsFunc(value, unicode.IsSpace) || len(variable.ReplaceAllLiteralString(b.URL, value)) > maxURL {
			return p, false, notSendable(def, "link")
		}
		c.SubType, p = "url", whatsapp.Parameter{Type: Text, Text: value}
	}
	return p, true, nil
}

// need takes a value and refuses what Meta would refuse.
func need(def Parameter, v Values) (string, error) {
	value := v[def.Key()]
	if strings.TrimSpace(value) == "" {
		return "", errs.New("template.params", "parameter", def.Key())
	}
	if why := Sendable(value); why != "" {
		return "", notSendable(def, why)
	}
	if utf8.RuneCountInString(value) > def.Max {
		return "", notSendable(def, "too_long")
	}
	return value, nil
}

func notSendable(def Parameter, why string) error {
	return errs.New("attr.not_sendable", "parameter", def.Key(), "why", why)
}

// Sendable tells why a text cannot be a parameter: line_break, tab, spaces (five
// or more in a row), control, encoding; "" when it can. It is Meta's rule for
// parameter texts (error 132018 and 100 otherwise).
func Sendable(value string) string {
	spaces := 0
	for _, r := range value {
		if r == ' ' {
			if spaces++; spaces > 4 {
				return "spaces"
			}
			continue
		}
		spaces = 0
		switch {
		case r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029':
			return "line_break"
		case r == '\t':
			return "tab"
		case unicode.IsControl(r):
			return "control"
		}
	}
	if !utf8.ValidString(value) {
		return "encoding"
	}
	return ""
}

// length is the length of a text with its variables replaced.
func length(text string, values map[string]string) int {
	return utf8.RuneCountInString(replace(text, values))
}

func replace(text string, values map[string]string) string {
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		if value, ok := values[variable.FindStringSubmatch(found)[1]]; ok {
			return value
		}
		return found
	})
}

// Preview is a template as its reader sees it; variables without a value stay
// as they are written.
type Preview struct {
	Header  string   `json:"header,omitempty" doc:"Text, or the kind of medium in brackets"`
	Body    string   `json:"body"`
	Footer  string   `json:"footer,omitempty"`
	Buttons []string `json:"buttons"`
}

// Show makes the preview of a template with these values.
func Show(t Template, v Values) Preview {
	s := read(t)
	p := Preview{Header: s.header, Footer: s.footer, Buttons: []string{}}
	if s.headerFormat != "" && s.headerFormat != "TEXT" {
		p.Header = "[" + strings.ToLower(s.headerFormat) + "]"
	} else if len(s.headerNames) > 0 && v[Header] != "" {
		p.Header = replace(s.header, map[string]string{s.headerNames[0]: v[Header]})
	}
	values := make(map[string]string, len(s.bodyNames))
	for _, name := range s.bodyNames {
		if value := v["body."+name]; value != "" {
			values[name] = value
		}
	}
	p.Body = replace(s.body, values)
	for _, b := range s.buttons {
		p.Buttons = append(p.Buttons, b.Text)
	}
	return p
}

// Examples are the values given to Meta for the review, for a first preview.
func Examples(t Template) Values {
	v := Values{}
	for _, p := range Parameters(t) {
		if p.Kind == Text && p.Example != "" && p.Component != Button {
			v[p.Key()] = p.Example
		}
	}
	return v
}

// canonical gives the components in one spelling: keys sorted, examples left
// out, because Meta signs their links anew in every answer.
func canonical(components json.RawMessage) ([]byte, error) {
	dec := json.NewDecoder(strings.NewReader(string(components)))
	dec.UseNumber()
	var doc any
	if err := dec.Decode(&doc); err != nil {
		return nil, err
	}
	return json.Marshal(withoutExamples(doc))
}

func withoutExamples(doc any) any {
	switch d := doc.(type) {
	case map[string]any:
		delete(d, "example")
		for k, v := range d {
			d[k] = withoutExamples(v)
		}
	case []any:
		for i, v := range d {
			d[i] = withoutExamples(v)
		}
	}
	return doc
}
