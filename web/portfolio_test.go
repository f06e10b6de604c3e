package web_test

import (
	"testing"

	"bareed/accounts"
	"bareed/internal/fixture"
)

// The page of a portfolio: who may change it does, in both languages, and what is
// refused says why beside its field.
func TestThePageOfAPortfolio(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	bc := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	bc.AddPeople(t, bc.Audience, 30)
	c := bc.Launch(t, "Spring")
	b := r.as(t, accounts.Owner)
	at := "/portfolios/" + bc.Portfolio.String()
	b.get("/numbers").has(t, 200, `href="`+at+`"`)
	for lang, want := range map[string][]string{
		"en": {"Who uses the limit on which day", "Usable", "900", "Spring", "30 planned", "Who goes first", `value="10"`},
		"ar": {"من يستخدم الحد وفي أي يوم", "المتاح للاستخدام", "900", "Spring", "مخطط 30", "من يسبق"},
	} {
		r.speak(t, b, lang)
		look(t, at, lang, b.get(at).has(t, 200, want...))
	}
	r.speak(t, b, "en")
	b.post(at+"/reserve", "reserve", "95").has(t, 422, `href="#reserve"`, "between 0 and 0.9", "at most 90%")
	b.post(at+"/reserve", "reserve", "a lot").has(t, 422, `href="#reserve"`)
	b.post(at+"/reserve", "reserve", "7,5").has(t, 422, "This is no number.", `value="7,5"`)
	for typed, kept := range map[string]string{"7": "7", "٢٩٪": "29", "12.5": "12.5"} {
		b.post(at+"/reserve", "reserve", typed).to(t, at)
		b.get(at).has(t, 200, `name="reserve" type="text" value="`+kept+`"`)
	}
	b.post(at+"/reserve", "reserve", "20").to(t, at)
	b.get(at).has(t, 200, `value="20"`, "800")
	b.post(at+"/shares", "name", "Orders!", "places", "50").has(t, 422, `href="#name"`)
	b.post(at+"/shares", "name", "orders", "places", "many").has(t, 422, `href="#places"`)
	b.post(at+"/shares", "name", "orders", "places", "801").has(t, 422, "at most")
	b.post(at+"/shares", "name", "orders", "places", "٣٠٠", "kinds", "api").to(t, at)
	b.get(at).has(t, 200, "orders", "By API")
	b.post(at+"/priority", "campaign", c.CampaignID.String(), "priority", "high", "share", "orders").to(t, at)
	b.get(at).has(t, 200, `<option value="high" selected>`, `<option value="orders" selected>`)
	b.post(at+"/priority", "campaign", "nothing", "priority", "high").has(t, 404)
	b.post(at+"/shares/drop", "name", "orders").to(t, at)
	viewer := r.as(t, accounts.Viewer)
	viewer.get(at).has(t, 200, "Only owners and admins change this.")
	viewer.post(at+"/reserve", "reserve", "0").has(t, 403)
	viewer.get("/portfolios/"+fixture.RandomID(t, "portfolio")).has(t, 404)
}
