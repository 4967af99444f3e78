/** Azure: App Service and Application Gateway. @module */

import type { Snippet, SnippetMaker } from './snippet.ts'

export const azureAppService: SnippetMaker = {
  title: 'Azure App Service',
  hasFreeHeader: false,
  hasFull: false,
  hasSecret: false,
  make: appService,
}

export const azureApplicationGateway: SnippetMaker = {
  title: 'Azure Application Gateway',
  hasFreeHeader: false,
  hasFull: false,
  hasSecret: false,
  make: applicationGateway,
}

function appService(): Snippet {
  const text = `# App Service asks for a certificate, verifies nothing, and writes X-ARR-ClientCert itself: the application judges, and answers.
az webapp update --resource-group GROUP --name APPLICATION \\
  --set clientCertEnabled=true clientCertMode=Optional httpsOnly=true
`
  return { files: [{ name: 'mtls-policy.sh', text }], headers: ['X-ARR-ClientCert'] }
}

function applicationGateway(): Snippet {
  const headers = ['X-Client-Certificate', 'X-Client-Certificate-Verification']
  const text = `{
  "clientAuthConfiguration": { "verifyClientAuthMode": "Passthrough" },
  "rewriteRuleSet": {
    "name": "mtls-policy",
    "rewriteRules": [
      {
        "name": "client-certificate",
        "ruleSequence": 1,
        "conditions": [],
        "actionSet": {
          "requestHeaderConfigurations": [
            { "headerName": "X-Client-Certificate", "headerValue": "{var_client_certificate}" },
            { "headerName": "X-Client-Certificate-Verification", "headerValue": "{var_client_certificate_verification}" }
          ]
        }
      }
    ]
  }
}
`
  return { files: [{ name: 'mtls-policy.json', text }], headers }
}
