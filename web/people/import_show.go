package people

import (
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/contacts"
	"bareed/contacts/directory"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

// importView is an import under way or over.
type importView struct {
	Audience id.Audience
	Name     string
	Import   importRow
	Total    int64
	Segments []ui.Segment
	People   int64
	Rejects  []rejectView
	Open     bool // it is not over
}

// rejectView is a rejected value with what is wrong in the reader's language.
type rejectView struct {
	contacts.Reject
	Text string
}

func rejectsOf(c *front.Call, list []contacts.Reject) []rejectView {
	var views []rejectView
	for _, r := range list {
		views = append(views, rejectView{r, errs.Sentence(c.Lang(), r.Code, r.Params)})
	}
	return views
}

// shownRejects is how many the page lists; the file has all.
const shownRejects = 20

func (s desk) importPage(c *front.Call) error {
	audience, err := front.ID[id.Audience](c, "audience")
	if err != nil {
		return err
	}
	imp, err := front.ID[id.Import](c, "import")
	if err != nil {
		return err
	}
	view := importView{Audience: audience}
	ws := c.Actor().Workspace
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		i, err := contacts.GetImport(c.Ctx(), tx, ws, imp)
		if err == nil && i.Audience != audience {
			err = errs.New("not_found")
		}
		if err != nil {
			return err
		}
		if view.Name, err = directory.AudienceName(c.Ctx(), tx, ws, audience); err != nil {
			return err
		}
		job, err := contacts.GetJob(c.Ctx(), tx, ws, i.Job())
		if err != nil {
			return err
		}
		view.Import, view.Total = importRowOf(c, i), job.Total
		list, err := contacts.ListRejects(c.Ctx(), tx, ws, imp, -1, "", shownRejects)
		view.Rejects = rejectsOf(c, list)
		return err
	})
	if err != nil {
		return err
	}
	view.fill(c)
	if view.Open {
		return c.Render("import", view, front.Refresh(5))
	}
	return c.Render("import", view)
}

func (v *importView) fill(c *front.Call) {
	i := v.Import
	v.Open = i.State == "waiting" || i.State == "running"
	v.People = i.Created + i.Updated + i.Unchanged
	for _, part := range []struct {
		kind, key string
		n         int64
	}{{"read", "audiences.created_people", i.Created}, {"delivered", "audiences.updated_people", i.Updated}, {"sent", "audiences.unchanged_people", i.Unchanged},
		{"waiting", "audiences.merged_rows", i.Merged}, {"failed", "audiences.rejected_rows", i.Rejected}} {
		v.Segments = append(v.Segments, ui.Segment{Kind: part.kind, Label: c.T(part.key), Value: part.n})
	}
}

// rejectsFile is every rejected value as it was uploaded.
func (s desk) rejectsFile(c *front.Call) error {
	imp, err := front.ID[id.Import](c, "import")
	if err != nil {
		return err
	}
	ws := c.Actor().Workspace
	err = c.InWorkspace(func(tx pgx.Tx) error {
		i, err := contacts.GetImport(c.Ctx(), tx, ws, imp)
		if err == nil && i.Audience.String() != c.R.PathValue("audience") {
			err = errs.New("not_found")
		}
		if err != nil {
			return err
		}
		return accounts.Audit(c.Ctx(), tx, c.Actor(), accounts.Deed{Action: "import.rejects_exported", Subject: imp.String()})
	})
	if err != nil {
		return err
	}
	download(c, "rejects.csv")
	return s.importer(c).RejectsCSV(c.Ctx(), ws, imp, c.Lang(), c.W)
}
