package sandbox

import (
	"strings"

	"bareed/sandbox/strict"
)

// magicNumbers decide by the last three digits what happens to a message to a
// number that begins with +999, a calling code nobody has. Other endings behave
// as everybody does.
var magicNumbers = map[string]Fault{
	"000": {Kind: "ok", forceDelivered: true, forceRead: true},
	"001": {Kind: "ok", forceDelivered: true},
	"026": {Kind: KindFail, Code: 131026},
	"047": {Kind: KindFail, Code: 131047},
	"049": {Kind: KindFail, Code: 131049},
	"050": {Kind: KindFail, Code: 131050},
	"056": {Kind: KindRefuse, Code: 131056},
	"429": {Kind: KindRefuse, Code: 130429, Count: 2},
	"500": {Kind: KindRefuse, Code: 131000, HTTPStatus: 500, Count: 1},
	"408": {Kind: KindSlow},
	"015": {Kind: KindRefuse, Code: 132015},
	"042": {Kind: KindRefuse, Code: 131042},
	"190": {Kind: KindRefuse, Code: 190},
}

// magic needs mu; it gives what the recipient's number asks for, nil for
// nothing. Count is per recipient, after which the message is accepted.
func (s *Server) magic(in *strict.Request) *Fault {
	if !s.scenario.Magic || !strings.HasPrefix(in.To, "+999") || len(in.To) < 8 {
		return nil
	}
	f, ok := magicNumbers[in.To[len(in.To)-3:]]
	if !ok {
		return nil
	}
	if f.Count > 0 {
		if s.magicSeen[in.To] >= f.Count {
			return nil
		}
		s.magicSeen[in.To]++
	}
	return &f
}
