package strictjson_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"bareed/api/front/strictjson"
	"bareed/internal/errs"
	"bareed/internal/id"
)

func TestShape(t *testing.T) {
	t.Parallel()
	type inner struct {
		Audience id.Audience `json:"audience"`
		Count    uint8       `json:"count"`
	}
	type base struct {
		Name string `json:"name"`
	}
	type body struct {
		base
		List []inner           `json:"list"`
		At   *time.Time        `json:"at"`
		Map  map[string]inner  `json:"map"`
		Raw  json.RawMessage   `json:"raw"`
		Any  any               `json:"any"`
		Rate float64           `json:"rate"`
		Tags map[string]string `json:"tags"`
	}
	good := id.New[id.Audience]().String()
	for text, want := range map[string]string{
		`{"name":"x","list":[{"audience":"` + good + `","count":255}],"at":"2026-01-02T03:04:05Z","raw":{"a":1},"any":[1],"rate":0.5}`: "",
		`{"list":null,"at":null,"map":null}`:                               "",
		`{"list":[{"audience":"aud_x"}]}`:                                  "ref.not_found /list/0/audience",
		`{"list":[{"audience":"` + id.New[id.Campaign]().String() + `"}]}`: "ref.not_found /list/0/audience",
		`{"list":[{"audience":7}]}`:                                        "json.type /list/0/audience",
		`{"list":[{"count":256}]}`:                                         "json.number /list/0/count",
		`{"list":[{"count":-1}]}`:                                          "json.number /list/0/count",
		`{"map":{"a/b":{"cuont":1}}}`:                                      "json.unknown_field /map/a~1b/cuont",
		`{"at":"yesterday"}`:                                               "field.time /at",
		`{"at":"2026-01-02 03:04:05"}`:                                     "field.time /at",
		`{"tags":{"a":1}}`:                                                 "json.type /tags/a",
		`{"list":{}}`:                                                      "json.type /list",
		`{"name":null}`:                                                    "json.type /name",
		`{"rate":true}`:                                                    "json.type /rate",
	} {
		v, err := strictjson.Read([]byte(text))
		if err != nil {
			t.Fatal(text, err)
		}
		got := ""
		if e, ok := errs.As(strictjson.Fit(v, reflect.TypeFor[body]())); ok {
			got = e.Code + " " + e.Fields[0].Pointer
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// FuzzRead: whatever the scanner takes, Go's own decoder reads the same.
func FuzzRead(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"\u00e9\ud83d\ude00",true,null]}`, `[]`, `"x"`, "{\"a\":\"\xff\"}", `{"a":1,"a":2}`, `[1e999]`, `-0`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := strictjson.Read(b)
		if err != nil {
			if _, ok := errs.As(err); !ok {
				t.Fatalf("%q: %v", b, err)
			}
			return
		}
		d := json.NewDecoder(strings.NewReader(string(b)))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("%q: taken, but %v", b, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %#v, want %#v", b, got, want)
		}
	})
}
