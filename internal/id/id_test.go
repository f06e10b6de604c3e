package id_test

import (
	"encoding/json"
	"errors"
	"testing"

	"bareed/internal/id"
)

func TestTextFormRoundTripsAndRefusesOtherKinds(t *testing.T) {
	t.Parallel()
	c := id.New[id.Campaign]()
	back, err := id.Parse[id.Campaign](c.String())
	if err != nil || back != c {
		t.Fatalf("read back %v, %v; want %v", back, err, c)
	}
	for _, bad := range []string{"", "abc", "run_", "run_../x", c.String(), id.New[id.Run]().String() + "0",
		"run_zz95c1d2e3f4707b8c9da1b2c3d4e5f6"} {
		if _, err := id.Parse[id.Run](bad); !errors.Is(err, id.ErrMalformed) {
			t.Errorf("Parse(%q) = %v, want ErrMalformed", bad, err)
		}
	}
}

func TestZeroIsEmptyInJSONAndNull(t *testing.T) {
	t.Parallel()
	var zero id.Run
	if b, err := json.Marshal(zero); err != nil || string(b) != `""` {
		t.Errorf("the zero value is %s, %v", b, err)
	}
	if v, err := zero.UUIDValue(); err != nil || v.Valid {
		t.Errorf("the zero value is %v in the database, %v", v, err)
	}
}

func TestLaterSortsLater(t *testing.T) {
	t.Parallel()
	a := id.New[id.Run]()
	for range 1000 {
		b := id.New[id.Run]()
		if b.String() <= a.String() {
			t.Fatalf("%v was made after %v", b, a)
		}
		a = b
	}
}

func TestMessageTextForm(t *testing.T) {
	t.Parallel()
	m := id.Message{Run: id.New[id.Run](), Ordinal: 41}
	got, err := id.ParseMessage(m.String())
	if err != nil || got != m {
		t.Fatalf("ParseMessage(%q) = %v, %v", m, got, err)
	}
	for _, bad := range []string{"", "msg_", m.String() + "x", "msg_1_2", m.String()[:37] + "007"} {
		if _, err := id.ParseMessage(bad); err == nil {
			t.Errorf("ParseMessage(%q) accepted", bad)
		}
	}
}
