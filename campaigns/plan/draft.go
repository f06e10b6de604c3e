package plan

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/templates"
)

// Slot is one parameter of a template with what fills it in a mapping. Pointer
// is where the mapping's faults point: /variables/body/0.
type Slot struct {
	Parameter templates.Parameter
	Key       string // the parameter's, or templates.FileKey
	Pointer   string
	Value     Value
}

// Slots lists everything a mapping of the template can fill, in the order of the
// template, with what fills it now.
func (v Variables) Slots(t templates.Template) []Slot {
	var list []Slot
	for _, s := range v.sources(t) {
		list = append(list, Slot{s.Parameter, s.Key(), s.pointer, s.value})
		if s.Component == templates.Header && s.Kind == templates.Document {
			file, pointer, _ := item(v.Header, 1, "/variables/header/1")
			list = append(list, Slot{templates.Parameter{Component: templates.Header, Name: "filename", Kind: templates.Text, Max: 240}, templates.FileKey, pointer, file})
		}
	}
	return list
}

// Mapping is the mapping that the slots make; an empty slot stays unfilled.
func Mapping(slots []Slot) Variables {
	var v Variables
	for _, s := range slots {
		switch {
		case s.Value == Value{}:
		case s.Parameter.Component == templates.Header && s.Key == templates.FileKey:
			v.Header = put(v.Header, 1, s.Value)
		case s.Parameter.Component == templates.Header:
			v.Header = put(v.Header, 0, s.Value)
		case s.Parameter.Component == templates.Button:
			v.Buttons = name(v.Buttons, strconv.Itoa(s.Parameter.Index), s.Value)
		default:
			var i int
			if n, err := fmt.Sscanf(s.Pointer, "/variables/body/%d", &i); n == 1 && err == nil {
				v.Body = put(v.Body, i, s.Value)
			} else {
				v.BodyNamed = name(v.BodyNamed, s.Parameter.Name, s.Value)
			}
		}
	}
	return v
}

// put fills a place of a list; those before it stay empty until they are filled.
func put(list []Value, i int, v Value) []Value {
	for len(list) <= i {
		list = append(list, Value{})
	}
	list[i] = v
	return list
}

func name(m map[string]Value, key string, v Value) map[string]Value {
	if m == nil {
		m = map[string]Value{}
	}
	m[key] = v
	return m
}

// Sample is one person of the audiences and what they would read.
type Sample struct {
	Found  bool
	Name   string
	Values templates.Values
}

// sampleOf is how many people are looked at for one whose values are all there.
const sampleOf = 25

// Example finds a person for a preview: of the first few, one who may be sent the
// message and lacks no value, else the first. Suppressions are not looked at.
func Example(ctx context.Context, db pg.DB, s Scope, t templates.Template, v Variables) (Sample, error) {
	rows, err := db.Query(ctx, sqlPeople, s.Workspace, s.Audiences, [16]byte{}, sampleOf,
		[16]byte(s.Portfolio), s.Purpose, s.Attributes)
	if err != nil {
		return Sample{}, fmt.Errorf("read people for a preview: %w", err)
	}
	people, err := pgx.CollectRows(rows, scanPerson)
	if err != nil || len(people) == 0 {
		return Sample{}, err
	}
	bindings := v.bind(t)
	chosen := people[0]
	for _, p := range people {
		if _, whole := fill(bindings, p); whole && p.granted && !p.erased {
			chosen = p
			break
		}
	}
	sample := Sample{Found: true, Name: chosen.name, Values: templates.Values{}}
	for _, b := range bindings {
		if text := b.value.of(chosen); text != "" {
			sample.Values[b.key] = text
		}
	}
	return sample, nil
}

// Reach is how many people of some audiences may be messaged, and why others
// may not. Suppressions and missing values are the check's to find.
type Reach struct {
	People, Granted, NoOptIn, OptedOut, Expired int64
}

const sqlReach = `
select count(*),
    count(*) filter (where p.granted and (p.expires_at is null or p.expires_at > bareed_now())),
    count(*) filter (where p.contact_id is null),
    count(*) filter (where not p.granted),
    count(*) filter (where p.granted and p.expires_at <= bareed_now())
from (
    select distinct contact_id
    from audience_member
    where workspace_id = $1
      and audience_id = any ($2)) m
left join permission p on p.workspace_id = $1 and p.contact_id = m.contact_id and p.purpose = $3`

// CountReach counts the members of the audiences, each person once.
func CountReach(ctx context.Context, db pg.DB, ws id.Workspace, audiences []id.Audience, purpose string) (Reach, error) {
	var r Reach
	err := db.QueryRow(ctx, sqlReach, ws, audiences, purpose).Scan(&r.People, &r.Granted, &r.NoOptIn, &r.OptedOut, &r.Expired)
	if err != nil {
		return r, fmt.Errorf("count who may be messaged: %w", err)
	}
	return r, nil
}
