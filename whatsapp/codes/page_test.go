package codes_test

import (
	"fmt"
	"strings"

	"bareed/whatsapp/codes"
)

const pageHead = `# Meta's error codes

What Bareed does with each error code of Meta's Cloud API. The table is ` + "`whatsapp/codes/error-codes.csv`" + `; this page is written from it (` + "`go test ./whatsapp/codes -update`" + `), and a test sends every code through the worker and the status path and compares the whole effect (` + "`worker TestEveryCodeAsAnAnswer`, `worker TestEveryCodeAsAStatus`" + `). ` + "`GET /v1/error-codes`" + ` gives it to programs, in English and Arabic.

**Where it comes.** *Answer*: Meta refuses the request. *Status*: Meta accepted the message and reports its failure later. *Management*: requests other than messages. A code that comes where it is not listed is taken just the same.

**What becomes of the message.**

| outcome | in an answer | in a status |
|---|---|---|
| refused_for_now | ready again: 131056 after 6 to 60 s, the others after 1 to 60 s, longer when Meta names a time | failed; 130429 slows the number here too |
| refused_for_good | failed, its place under the limit is free again | the same |
| stop | ready again, and a stop holds its scope: nobody is lost | this message has failed; the stop holds the others |
| unknown | unknown: never sent again by itself under the policy hold, once more under evidence when it is proven that Meta accepted nothing (docs/UNKNOWN.md) | failed |

**Stops** wait for a person, except those with a time. Each names its code in ` + "`meta_code`" + `.

**Rules over many.** *in a row*: five such answers, or five such statuses, one after another in a run stop the campaign (refused_in_a_row). *share*: more than a twentieth of a run's last 200 answers, and at least three, stop it (values_refused). Each worker counts answers for itself; statuses are counted in the database.

**What follows for the person.**

| effect | what it does |
|---|---|
| opt_out | recorded in the consent ledger for marketing (method meta_131050) |
| undeliverable | a strike; two messages within 30 days suppress the person for every purpose (not_on_whatsapp) until they write |
| blocked | suppressed for every purpose (blocked) until they write, which nobody can whom the business blocks |
| cool_off | no marketing of any campaign for a day, or as long as the workspace sets: left out of plans (cooling_off), and refused by the claim (docs/CAPS.md) |
| window | their service window with this number is closed |
| country | noted; five people of one country within 24 hours bar the country for the account for 24 hours: the rest of it is suppressed (country_barred), not lost to Meta |

A code nobody knows fails its message, is logged once as new, and stops the campaign with five in a row.

`

// page writes docs/ERRORS.md.
func page() string {
	var b strings.Builder
	b.WriteString(pageHead)
	for _, part := range []struct {
		title string
		mgmt  bool
	}{{"Codes of messages", false}, {"Codes of management", true}} {
		fmt.Fprintf(&b, "## %s\n\n| code | Meta's title | where | outcome | scope | stop | rule, person | sent again | cause | what to do |\n|---|---|---|---|---|---|---|---|---|---|\n", part.title)
		for _, e := range codes.All("en") {
			if (e.Planes[0] == "management") != part.mgmt {
				continue
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", codeText(e), e.Title, strings.Join(e.Planes, ", "), e.Outcome, e.Scope,
				stopText(e), strings.Trim(string(e.Rule)+", "+string(e.Person), ", "), e.Retried, e.Cause, e.Action)
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func codeText(e codes.ErrorCode) string {
	if e.Last != 0 {
		return fmt.Sprintf("%d to %d", e.Code, e.Last)
	}
	return fmt.Sprint(e.Code)
}

func stopText(e codes.ErrorCode) string {
	switch {
	case e.StopFor >= 3600:
		return fmt.Sprintf("%s, %d h", e.Stop, e.StopFor/3600)
	case e.StopFor > 0:
		return fmt.Sprintf("%s, %d min", e.Stop, e.StopFor/60)
	}
	return e.Stop
}
