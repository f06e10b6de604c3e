package templates

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Components of a template that are filled.
const (
	Header = "header"
	Body   = "body"
	Button = "button"
)

// Kinds of value a Parameter takes.
const (
	Text     = "text"
	Image    = "image"    // an https link, or the id of uploaded media
	Video    = "video"    // likewise
	Document = "document" // likewise; FileKey names the file
	Location = "location" // "latitude,longitude,name,address"
	Coupon   = "coupon_code"
	Payload  = "payload" // of a quick reply, comes back when it is pressed
)

// Meta's limits, in characters: of the finished text, and of single values.
const (
	maxHeader  = 60
	maxBody    = 1024
	maxURL     = 2000
	maxCoupon  = 20
	maxPayload = 128
	maxLink    = 2000
)

// Parameter is one thing to be filled.
type Parameter struct {
	Component string `json:"component" doc:"header, body or button"`
	Index     int    `json:"index" doc:"The button's position, from 0"`
	Name      string `json:"name" doc:"1, 2 … or the parameter's name"`
	Kind      string `json:"kind" doc:"text, image, video, document, location, coupon_code, payload"`
	Required  bool   `json:"required"`
	Max       int    `json:"max" doc:"Characters its value may have at most"`
	Label     string `json:"label,omitempty" doc:"The button's text"`
	Example   string `json:"example,omitempty" doc:"As it was given to Meta for the review"`
}

// Key is the parameter's name in Values: header, body.1, body.first_name, button.0.
func (p Parameter) Key() string {
	switch p.Component {
	case Body:
		return "body." + p.Name
	case Button:
		return "button." + strconv.Itoa(p.Index)
	default:
		return Header
	}
}

// FileKey is the key in Values of a document header's file name.
const FileKey = "header.filename"

// Parameters lists what must be filled, and the quick replies' payloads, which
// may be: header, body, buttons, each in the order of the template. In an
// authentication template the button's code is the body's and is not listed.
func Parameters(t Template) []Parameter {
	s := read(t)
	var all []Parameter
	all = append(all, s.headerParameters()...)
	for i, name := range s.bodyNames {
		all = append(all, Parameter{Component: Body, Name: name, Kind: Text, Required: true, Max: maxBody, Example: s.bodyExample(i, name)})
	}
	for i, b := range s.buttons {
		if p, ok := s.buttonParameter(i, b); ok {
			all = append(all, p)
		}
	}
	return all
}

// Unsupported names the parts of a template that we cannot fill, such as
// CAROUSEL; nil for one that can be sent.
func Unsupported(t Template) []string { return read(t).unsupported }

// shape is a template taken apart.
type shape struct {
	named        bool
	otp          bool // an authentication template: its button repeats the code
	headerFormat string
	header       string
	headerNames  []string
	headerSample json.RawMessage
	body         string
	bodyNames    []string
	bodySample   json.RawMessage
	footer       string
	buttons      []button
	unsupported  []string
}

type button struct {
	Type    string          `json:"type"`
	Text    string          `json:"text"`
	URL     string          `json:"url"`
	Example json.RawMessage `json:"example"`
}

type component struct {
	Type    string          `json:"type"`
	Format  string          `json:"format"`
	Text    string          `json:"text"`
	Example json.RawMessage `json:"example"`
	Buttons []button        `json:"buttons"`
}

// read takes a template apart, leniently: what it cannot read is unsupported.
func read(t Template) shape {
	s := shape{named: strings.EqualFold(t.ParameterFormat, "NAMED"), otp: strings.EqualFold(t.Category, "AUTHENTICATION")}
	var list []component
	if json.Unmarshal(t.Components, &list) != nil {
		s.unsupported = append(s.unsupported, "COMPONENTS")
		return s
	}
	for _, c := range list {
		switch kind := strings.ToUpper(c.Type); kind {
		case "HEADER":
			s.readHeader(c)
		case "BODY":
			s.body, s.bodyNames, s.bodySample = c.Text, s.variables(c.Text), c.Example
		case "FOOTER":
			s.footer = c.Text
		case "BUTTONS":
			s.readButtons(c.Buttons)
		default:
			s.unsupported = append(s.unsupported, kind)
		}
	}
	return s
}

func (s *shape) readHeader(c component) {
	s.headerFormat, s.header, s.headerSample = strings.ToUpper(c.Format), c.Text, c.Example
	switch s.headerFormat {
	case "TEXT":
		s.headerNames = s.variables(c.Text)
	case "IMAGE", "VIDEO", "DOCUMENT", "LOCATION":
	default:
		s.unsupported = append(s.unsupported, "HEADER "+s.headerFormat)
	}
}

func (s *shape) readButtons(list []button) {
	s.buttons = list
	for i := range list {
		list[i].Type = strings.ToUpper(list[i].Type)
		switch list[i].Type {
		case "QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE", "OTP", "VOICE_CALL", "APP", "REQUEST_CONTACT_INFO":
		default:
			s.unsupported = append(s.unsupported, "BUTTON "+list[i].Type)
		}
	}
}

var variable = regexp.MustCompile(`\{\{\s*([A-Za-z0-9_]+)\s*\}\}`)

// variables names the variables of a text, each once: by number, or by name in
// the order they stand.
func (s *shape) variables(text string) []string {
	var names []string
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	if !s.named {
		slices.SortStableFunc(names, func(a, b string) int {
			x, _ := strconv.Atoi(a)
			y, _ := strconv.Atoi(b)
			return x - y
		})
	}
	return names
}

func (s *shape) headerParameters() []Parameter {
	p := Parameter{Component: Header, Required: true, Max: maxLink}
	switch s.headerFormat {
	case "TEXT":
		if len(s.headerNames) == 0 {
			return nil
		}
		p.Name, p.Kind, p.Max, p.Example = s.headerNames[0], Text, maxHeader, firstExample(s.headerSample, "header_text")
	case "IMAGE", "VIDEO", "DOCUMENT", "LOCATION":
		p.Kind = strings.ToLower(s.headerFormat)
	default:
		return nil
	}
	return []Parameter{p}
}

func (s *shape) buttonParameter(i int, b button) (Parameter, bool) {
	p := Parameter{Component: Button, Index: i, Label: b.Text, Required: true}
	switch {
	case b.Type == "URL" && !s.otp && variable.MatchString(b.URL):
		p.Name, p.Kind, p.Max, p.Example = "1", Text, maxURL, firstOf(b.Example)
	case b.Type == "COPY_CODE":
		p.Name, p.Kind, p.Max, p.Example = "1", Coupon, maxCoupon, firstOf(b.Example)
	case b.Type == "QUICK_REPLY":
		p.Name, p.Kind, p.Max, p.Required = "1", Payload, maxPayload, false
	default:
		return p, false
	}
	return p, true
}

// bodyExample finds the sample given to Meta: a list of lists for numbered
// variables, a list of name and example for named ones.
func (s *shape) bodyExample(i int, name string) string {
	var e struct {
		Text  [][]string `json:"body_text"`
		Named []struct {
			Name    string `json:"param_name"`
			Example string `json:"example"`
		} `json:"body_text_named_params"`
	}
	_ = json.Unmarshal(s.bodySample, &e)
	for _, n := range e.Named {
		if n.Name == name {
			return n.Example
		}
	}
	if len(e.Text) > 0 && i < len(e.Text[0]) {
		return e.Text[0][i]
	}
	return ""
}

func firstExample(raw json.RawMessage, key string) string {
	var m map[string]json.RawMessage
	_ = json.Unmarshal(raw, &m)
	return firstOf(m[key])
}

// firstOf reads a text or the first text of a list.
func firstOf(raw json.RawMessage) string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return one
	}
	var many []string
	if json.Unmarshal(raw, &many) == nil && len(many) > 0 {
		return many[0]
	}
	return ""
}
