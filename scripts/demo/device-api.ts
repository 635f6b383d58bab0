import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { Ajv } from 'ajv';
import { STAGES } from '../../machines/stage.js';
import type { ReportBody } from '../../machines/report-outbox.js';
import { portOf } from './port-of.js';

const isReport = new Ajv().compile<ReportBody>({
  type: 'object',
  required: ['stage', 'progress', 'message', 'error'],
  properties: {
    stage: { enum: Object.values(STAGES) },
    progress: { type: 'integer' },
    message: { type: 'string' },
    error: { type: 'string', nullable: true },
  },
});

export interface DeviceApi {
  url: string;
  close(): Promise<void>;
}

/** A device-api that does nothing but hear reports (wire contract: Report to device-api); what is none gets a 400. */
export async function startDeviceApi(hear: (report: ReportBody) => void): Promise<DeviceApi> {
  const server = createServer((request, response) => {
    json(request).then(
      (body) => {
        const isGood = request.url === '/api/v1.0/ota/report' && isReport(body);
        if (isGood) hear(body);
        response.writeHead(isGood ? 200 : 400).end();
      },
      () => response.writeHead(400).end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
