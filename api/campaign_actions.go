package api

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/billing/budget"
	"bareed/billing/estimate"
	"bareed/campaigns"
	"bareed/campaigns/check"
	"bareed/internal/id"
)

func (s *Server) campaignActions() {
	add(s, "POST /v1/campaigns/{campaign}/check", s.checkCampaign)
	add(s, "GET /v1/campaigns/{campaign}/checks/{check}", s.getCheck)
	raw(s, "GET /v1/campaigns/{campaign}/checks/{check}/rows.csv", s.checkRows,
		front.Query([2]string{"reason", "Only these rows; eligible for those without a reason"}), front.AnswersText("text/csv"))
	add(s, "POST /v1/campaigns/{campaign}/launch", s.launchCampaign)
	add(s, "POST /v1/campaigns/{campaign}/pause", s.pauseCampaign)
	add(s, "POST /v1/campaigns/{campaign}/resume", s.resumeCampaign)
	add(s, "POST /v1/campaigns/{campaign}/stop", s.stopCampaign)
}

// checkRequested says where the check will be found.
type checkRequested struct {
	JobID      id.Job      `json:"job_id"`
	CheckID    id.Check    `json:"check_id"`
	CampaignID id.Campaign `json:"campaign_id"`
}

func (s *Server) checkCampaign(ctx context.Context, a accounts.Actor, in *campaignInput) (*created[checkRequested], error) {
	out := &created[checkRequested]{Body: checkRequested{CampaignID: in.Campaign}}
	err := s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		out.Body.CheckID, err = campaigns.RequestCheck(ctx, tx, a, in.Campaign)
		return err
	})
	out.Body.JobID = id.Job(out.Body.CheckID)
	out.Location = "/v1/jobs/" + out.Body.JobID.String()
	return out, err
}

type checkInput struct {
	Campaign id.Campaign `path:"campaign"`
	Check    id.Check    `path:"check"`
}

func (s *Server) getCheck(ctx context.Context, a accounts.Actor, in *checkInput) (*reply[check.Check], error) {
	return front.Answer(ctx, s.Front, a, func(tx pgx.Tx) (check.Check, error) { return check.Get(ctx, tx, a.Workspace, in.Campaign, in.Check) })
}

type launchCampaignInput struct {
	Campaign id.Campaign `path:"campaign"`
	Body     struct {
		ExpectedRecipients int64  `json:"expected_recipients" doc:"eligible of the campaign's newest check; any other figure is refused"`
		At                 string `json:"at,omitempty" doc:"2026-12-01T10:00:00Z, or 2026-12-01T10:00 with a zone; the campaign's send_at, else now, when not given"`
		Zone               string `json:"zone,omitempty" doc:"IANA name, such as Asia/Riyadh"`
		AcceptQuality      bool   `json:"accept_quality,omitempty" doc:"Needed for marketing on a number that Meta rates YELLOW or RED"`
		UndoSeconds        *int   `json:"undo_seconds,omitempty" minimum:"0" maximum:"600" doc:"Before the first message of an immediate launch; the workspace's setting when not given"`
	}
}

func (s *Server) launchCampaign(ctx context.Context, a accounts.Actor, in *launchCampaignInput) (*reply[campaigns.Launched], error) {
	q := campaigns.LaunchRequest{Expected: in.Body.ExpectedRecipients, At: in.Body.At, Zone: in.Body.Zone,
		AcceptQuality: in.Body.AcceptQuality}
	if in.Body.UndoSeconds != nil {
		grace := time.Duration(*in.Body.UndoSeconds) * time.Second
		q.Undo = &grace
	}
	out := &reply[campaigns.Launched]{}
	err := s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		if out.Body, err = campaigns.Launch(ctx, tx, a, in.Campaign, q); err == nil {
			err = estimate.Fix(ctx, tx, a.Workspace, out.Body.RunID)
		}
		if err == nil {
			err = budget.AtLaunch(ctx, tx, a, out.Body.RunID)
		}
		return err
	})
	return out, err
}

func (s *Server) pauseCampaign(ctx context.Context, a accounts.Actor, in *campaignInput) (*versioned[campaigns.Campaign], error) {
	return s.campaign(ctx, a, func(tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Pause(ctx, tx, a, in.Campaign)
	})
}

type resumeCampaignInput struct {
	Campaign id.Campaign `path:"campaign"`
	Body     *struct {
		Stops      []id.Stop `json:"stops,omitempty" doc:"Rules' stops to clear beside the pause"`
		ClearHolds bool      `json:"clear_holds,omitempty" doc:"Clear every rule's stop on the campaign, its number and template"`
		Reason     string    `json:"reason,omitempty" maxLength:"500" doc:"Needed to clear a rule's stop; kept in the audit"`
	} `required:"false"`
}

func (s *Server) resumeCampaign(ctx context.Context, a accounts.Actor, in *resumeCampaignInput) (*versioned[campaigns.Campaign], error) {
	var q campaigns.ResumeRequest
	if b := in.Body; b != nil {
		q = campaigns.ResumeRequest{Stops: b.Stops, ClearHolds: b.ClearHolds, Reason: b.Reason}
	}
	return s.campaign(ctx, a, func(tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Resume(ctx, tx, a, in.Campaign, q)
	})
}

func (s *Server) stopCampaign(ctx context.Context, a accounts.Actor, in *campaignInput) (*versioned[campaigns.Campaign], error) {
	return s.campaign(ctx, a, func(tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.End(ctx, tx, a, in.Campaign)
	})
}
