// Package people owns the pages of audiences, imports and contacts: what is in a
// file and where its people agreed, how an import goes, and what one person
// agreed to and refused.
//
// web registers it. It judges nothing: contacts, consents and their packages do,
// the same ones that the API calls.
package people

import "bareed/web/front"

// desk has the handlers; what they need comes with the call.
type desk struct{}

// Register adds the pages.
func Register(f *front.Front) {
	var s desk
	s.audiences(f)
	s.imports(f)
	s.contacts(f)
}

func (s desk) audiences(f *front.Front) {
	f.Handle("GET /audiences", s.audiencesPage)
	f.Handle("GET /audiences/new", s.newAudiencePage)
	f.Handle("POST /audiences/new", s.createAudience)
	f.Handle("GET /audiences/{audience}", s.audiencePage)
	f.Handle("GET /audiences/{audience}/delete", s.deleteAudiencePage)
	f.Handle("POST /audiences/{audience}/delete", s.deleteAudience)
}

func (s desk) imports(f *front.Front) {
	f.Handle("GET /audiences/{audience}/import", s.uploadPage)
	f.Handle("POST /audiences/{audience}/import", s.upload)
	f.Handle("GET /audiences/{audience}/sample/{language}", s.sampleFile)
	f.Handle("GET /audiences/{audience}/drafts/{draft}", s.columnsPage)
	f.Handle("POST /audiences/{audience}/drafts/{draft}", s.answerColumns)
	f.Handle("GET /audiences/{audience}/drafts/{draft}/consent", s.fileConsentPage)
	f.Handle("POST /audiences/{audience}/drafts/{draft}/consent", s.answerFileConsent)
	f.Handle("GET /audiences/{audience}/drafts/{draft}/check", s.checkFilePage)
	f.Handle("POST /audiences/{audience}/drafts/{draft}/check", s.startImport)
	f.Handle("POST /audiences/{audience}/drafts/{draft}/discard", s.discardDraft)
	f.Handle("GET /audiences/{audience}/imports/{import}", s.importPage)
	f.Handle("GET /audiences/{audience}/imports/{import}/rejects.csv", s.rejectsFile)
}

func (s desk) contacts(f *front.Front) {
	f.Handle("GET /contacts", s.contactsPage)
	f.Handle("GET /contacts/{contact}", s.contactPage)
	f.Handle("GET /contacts/{contact}/opt-out", s.optOutPage)
	f.Handle("POST /contacts/{contact}/opt-out", s.optOut)
	f.Handle("GET /contacts/{contact}/opt-in", s.optInPage)
	f.Handle("POST /contacts/{contact}/opt-in", s.optIn)
}
